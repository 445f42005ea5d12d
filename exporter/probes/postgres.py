"""PostgreSQL: can one log in and query, and how near is the server to its limits?"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import asyncpg

from exporter.metrics.catalogue import Metric
from exporter.probes.base import LABELS, Probe, Run, probe
from exporter.tools.database_url import DatabaseUrl, DatabaseUrlField, parse_database_url
from exporter.tools.sql import SQL_ERRORS, sql_failure

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

CONNECTIONS = Metric(
    "chatterfy_postgres_connections", "gauge", "Client connections that the server has; read at every run.", LABELS
)
CONNECTIONS_MAX = Metric(
    "chatterfy_postgres_connections_max",
    "gauge",
    "Client connections that the server takes, without those that are reserved; read at every run.",
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
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections_max,
       greatest(extract(epoch FROM max(now() - xact_start) FILTER (WHERE pid <> pg_backend_pid())), 0)::float8
         AS oldest,
       pg_is_in_recovery()::int AS in_recovery
FROM pg_stat_activity
WHERE coalesce(backend_type = 'client backend', datid IS NOT NULL AND usesysid IS NOT NULL)
"""
"""Without pg_monitor the type of others' backends is hidden: those with a database and a user are the clients'."""


@probe
class PostgresProbe(Probe):
    """Opens a connection of its own, runs `SELECT 1` in a read-only transaction, and reads the server's state.

    Phases: dns, connect (with TLS and the login), query, read (of the server's state).
    """

    kind: Literal["postgres"]
    url: DatabaseUrlField
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
        begin = run.tools.clock.monotonic()
        if not self._url.is_socket:
            # asyncpg looks the name up again, in a thread: with a dead name server it does not come to that.
            await run.tools.dialer.resolve(self._url.host, self._url.port, run.phase)
        try:
            with run.phase("connect"):
                connection = await self._connect()
            try:
                await self._query(connection, run, self.timeout - (run.tools.clock.monotonic() - begin))
            finally:
                # close() and rollbacks wait for the server, which may hang.
                connection.terminate()
        except SQL_ERRORS as error:
            raise sql_failure(error, self._url) from error

    async def _connect(self) -> "Connection":
        return await asyncpg.connect(
            self._url.dsn,
            host=self._url.host,
            port=self._url.port,
            timeout=self.timeout + 1,  # the run ends before; this only replaces the default of 60 s
            statement_cache_size=0,
            server_settings={"application_name": "chatterfy-exporter", "timezone": "UTC"},
        )

    async def _query(self, connection: "Connection", run: Run, seconds: float) -> None:
        """Asks within `seconds`; the server itself ends a query a little before, and so leaves nothing running."""
        with run.phase("query"):
            # SET LOCAL rather than a startup parameter, which pgbouncer refuses.
            limit = f"SET LOCAL statement_timeout = {max(1, int(seconds * 900))}"
            await connection.execute(f"BEGIN READ ONLY; {limit}; SELECT 1")
        with run.phase("read"):
            (row,) = await connection.fetch(_STATISTICS)
            await connection.execute("COMMIT")
        run.set(CONNECTIONS, row["connections"])
        run.set(CONNECTIONS_MAX, row["connections_max"])
        run.set(OLDEST_TRANSACTION, row["oldest"])
        run.set(IN_RECOVERY, row["in_recovery"])
