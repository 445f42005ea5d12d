"""PostgreSQL: can one log in and query, and how near is the server to its limits?"""

import socket
import ssl
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

import asyncpg
from pydantic import AfterValidator

from exporter.config.secret import Secret, SecretField
from exporter.errors import Failed, Reason
from exporter.metrics.catalogue import Metric
from exporter.probes.base import LABELS, Probe, Run, probe
from exporter.tools.database_url import DatabaseUrl, parse_database_url
from exporter.tools.dial import reason_of

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

CONNECTIONS = Metric(
    "chatterfy_postgres_connections", "gauge", "Client connections that the server has; read at every run.", LABELS
)
CONNECTIONS_MAX = Metric(
    "chatterfy_postgres_connections_max",
    "gauge",
    "Client connections that the server takes, without those kept for superusers; read at every run.",
    LABELS,
)
OLDEST_TRANSACTION = Metric(
    "chatterfy_postgres_oldest_transaction_age_seconds",
    "gauge",
    "Age of the oldest open transaction that the role may see (all of them with pg_monitor); read at every run.",
    LABELS,
)
IN_RECOVERY = Metric(
    "chatterfy_postgres_in_recovery",
    "gauge",
    "Whether the server is a standby (1) or a primary (0); read at every run.",
    LABELS,
)

_STATISTICS = """
SELECT count(*) AS connections,
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int AS connections_max,
       coalesce(extract(epoch FROM max(now() - xact_start) FILTER (WHERE pid <> pg_backend_pid())), 0)::float8
         AS oldest,
       pg_is_in_recovery()::int AS in_recovery
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""

_CLASSES: tuple[tuple[str, Reason], ...] = (
    ("28", "auth"),
    ("42501", "auth"),
    ("53", "quota"),
    ("57014", "timeout"),
    ("57P", "connect"),
    ("08", "connect"),
    ("3D", "connect"),
    ("55000", "connect"),
)
"""SQLSTATE prefixes (https://www.postgresql.org/docs/current/errcodes-appendix.html); every other one is `query`."""


def _checked(secret: Secret) -> Secret:
    parse_database_url(secret.reveal())
    return secret


@probe
class PostgresProbe(Probe):
    """Opens a connection of its own, runs `SELECT 1` in a read-only transaction, and reads the server's state."""

    kind: Literal["postgres"]
    url: Annotated[SecretField, AfterValidator(_checked)]
    """Where the database is, as in Prisma's DATABASE_URL."""
    critical: bool = True
    """Whether /health answers 503 while this probe fails."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Mapping[str, dict[str, Any]]:
        """DATABASE_URL, as Prisma reads it."""
        return {"db": {"kind": "postgres", "url": {"env": "DATABASE_URL"}}} if "DATABASE_URL" in environ else {}

    @cached_property
    def _url(self) -> DatabaseUrl:
        return parse_database_url(self.url.reveal())

    async def check(self, run: Run) -> None:
        """Fails with dns, connect, tls, auth, quota (out of connections), timeout or query."""
        if not self._url.is_socket:
            await run.tools.dialer.resolve(self._url.host, self._url.port, run.phase)
        connection = await self._connect(run)
        try:
            with run.phase("query"):
                row = await self._query(connection, run)
            run.set(CONNECTIONS, row["connections"])
            run.set(CONNECTIONS_MAX, row["connections_max"])
            run.set(OLDEST_TRANSACTION, row["oldest"])
            run.set(IN_RECOVERY, row["in_recovery"])
        finally:
            # close() would wait for a server that hangs.
            connection.terminate()

    async def _connect(self, run: Run) -> "Connection":
        try:
            with run.phase("connect"):
                return await asyncpg.connect(
                    self._url.dsn,
                    timeout=self.timeout + 1,  # the run ends before; this only replaces the default of 60 s
                    statement_cache_size=0,
                    server_settings={"application_name": "chatterfy-exporter", "timezone": "UTC"},
                )
        except asyncpg.PostgresError as error:
            raise _failed(error) from error
        except ssl.SSLError as error:
            raise Failed("tls", error.reason or "the handshake failed") from error
        except socket.gaierror as error:
            raise Failed("dns", f"{self._url.host}: {error.strerror}") from error
        except (OSError, asyncpg.InterfaceError) as error:
            told = reason_of(error) if isinstance(error, OSError) else str(error)
            raise Failed("connect", f"{self._url.host}:{self._url.port}: {told}") from error

    async def _query(self, connection: "Connection", run: Run) -> asyncpg.Record:
        try:
            async with connection.transaction(readonly=True):
                # SET LOCAL rather than a startup parameter, which pgbouncer refuses.
                await connection.execute(f"SET LOCAL statement_timeout = {int(self.timeout * 1000)}")
                await connection.fetchval("SELECT 1")
                with run.phase("read"):
                    (row,) = await connection.fetch(_STATISTICS)
                return row
        except asyncpg.PostgresError as error:
            raise _failed(error) from error
        except (OSError, asyncpg.InterfaceError) as error:
            raise Failed("connect", f"{self._url.host}:{self._url.port}: the connection broke") from error


def _failed(error: asyncpg.PostgresError) -> Failed:
    state = error.sqlstate or ""
    reason: Reason = next((reason for prefix, reason in _CLASSES if state.startswith(prefix)), "query")
    return Failed(reason, f"{error.args[0] if error.args else type(error).__name__} (SQLSTATE {state or 'unknown'})")
