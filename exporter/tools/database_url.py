"""PostgreSQL URLs as Prisma writes them, in the form that asyncpg takes."""

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator

from exporter.config.secret import Secret, SecretField

_FILES = ("sslcert", "sslcrl", "sslkey", "sslrootcert")
_KEPT = {*_FILES, "dbname", "options", "passfile", "password", "sslmode", "sslnegotiation", "sslpassword", "user"}
"""Parameters for asyncpg or the server, which would refuse all others: those are for Prisma, node-postgres or libpq
(https://www.prisma.io/docs/orm/core-concepts/supported-databases/postgresql)."""
_LAX_MODES = ("disable", "allow", "prefer")
_TLS_MODES = ("require", "verify-ca", "verify-full")
_WANTED = "expected a URL such as postgresql://user:password@host:5432/database"
_ENCODE = f"{_WANTED} (percent-encode special characters of the password)"


@dataclass(frozen=True)
class DatabaseUrl:
    """A checked URL: `dsn` for asyncpg with `host` (a name, an address or a socket's folder) and `port` beside it.

    `schema` is what Prisma's parameter says; `needs_tls` is whether a connection without TLS is refused.
    """

    dsn: str = field(repr=False)
    schema: str
    host: str
    port: int
    needs_tls: bool

    @property
    def is_socket(self) -> bool:
        """Whether the server is reached through a Unix socket."""
        return self.host.startswith("/")

    @property
    def database(self) -> str:
        """The database's name; the user's where the URL has none."""
        parts = urlsplit(self.dsn)
        return unquote(parts.path[1:]) or dict(parse_qsl(parts.query)).get("dbname") or unquote(parts.username or "")


def parse_database_url(text: str) -> DatabaseUrl:
    """Takes a URL apart; raises ValueError that shows nothing of it, since it holds a password."""
    try:
        parts = urlsplit(text)
        parameters = dict(parse_qsl(parts.query))
        port = int(parameters.get("port") or parts.port or 5432)
    except ValueError:
        raise ValueError(_ENCODE) from None
    login, _, address = parts.netloc.rpartition("@")
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError(_WANTED)
    if parts.fragment or ("@" in text and not login):
        raise ValueError(_ENCODE)  # a bare #, / or ? has cut the password in two
    # Not `parts.hostname`: it is in lower case, which spoils the folder of a socket.
    host = parameters.get("host") or unquote(re.sub(r":\d*$", "", address)).strip("[]")
    if not host:
        raise ValueError(f"{_WANTED}: the host is missing")
    if not 0 < port < 65536:
        raise ValueError(f"{_WANTED}: the port is not one from 1 to 65535")
    kept = _kept(parameters)
    # A bare @ in the password is fine for Prisma; asyncpg would take it for the end of the password.
    dsn = urlunsplit(("postgresql", f"{login.replace('@', '%40')}@", parts.path, urlencode(kept), ""))
    return DatabaseUrl(dsn, parameters.get("schema", "public"), host, port, kept.get("sslmode") in _TLS_MODES)


def _kept(parameters: dict[str, str]) -> dict[str, str]:
    """The parameters that asyncpg takes, with those for TLS checked: at start, rather than at every connection."""
    kept = {name: value for name, value in parameters.items() if name in _KEPT}
    if "sslkey" not in kept:
        # Prisma's is not the client's certificate but the server's, which it may leave unverified.
        kept.pop("sslcert", None)
    mode = kept.get("sslmode", "prefer")
    if mode == "no-verify":
        mode = kept["sslmode"] = "require"  # node-postgres' name for it
    if mode not in _LAX_MODES + _TLS_MODES:
        raise ValueError(f"expected an sslmode among {', '.join(_LAX_MODES + _TLS_MODES)}")
    if mode.startswith("verify"):
        kept.setdefault("sslrootcert", "system")
    if kept.get("sslrootcert") == "system":
        kept["sslrootcert"] = ssl.get_default_verify_paths().cafile or ""
    for name in _FILES:
        if name in kept and not Path(kept[name]).is_file():
            raise ValueError(f"the file that {name} names cannot be found")
    return kept


def _checked(secret: Secret) -> Secret:
    parse_database_url(secret.reveal())
    return secret


DatabaseUrlField = Annotated[SecretField, AfterValidator(_checked)]
"""A model's field that holds a PostgreSQL URL as a secret, checked when it is read."""
