"""PostgreSQL URLs as Prisma writes them, in the form that asyncpg takes."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

PRISMA_ONLY = frozenset(
    {
        "connect_timeout", "connection_limit", "pgbouncer", "pool_timeout", "schema", "socket_timeout", "sslaccept",
        "sslidentity", "sslpassword", "statement_cache_size",
    }
)  # fmt: skip
"""Parameters that Prisma reads itself and a server would refuse
(https://www.prisma.io/docs/orm/core-concepts/supported-databases/postgresql)."""


@dataclass(frozen=True)
class DatabaseUrl:
    """A checked URL: `dsn` for asyncpg, `schema` as Prisma's parameter says, host and port for look-ups."""

    dsn: str
    schema: str
    host: str
    port: int

    @property
    def is_socket(self) -> bool:
        """Whether the server is reached through a Unix socket."""
        return self.host.startswith("/")


def parse_database_url(text: str) -> DatabaseUrl:
    """Takes a URL apart; raises ValueError that shows nothing of it, since it holds a password."""
    wanted = "expected a URL such as postgresql://user:password@host:5432/database"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{wanted} (percent-encode special characters of the password)") from None
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError(wanted)
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = parameters.get("host") or unquote(parts.hostname or "")
    if not host:
        raise ValueError(f"{wanted}: the host is missing")
    schema = parameters.get("schema") or "public"
    query = urlencode({key: value for key, value in parameters.items() if key not in PRISMA_ONLY})
    dsn = urlunsplit(("postgresql", parts.netloc, parts.path, query, ""))
    return DatabaseUrl(dsn, schema, host, int(parameters.get("port") or port or 5432))
