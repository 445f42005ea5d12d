"""A database of the user's for the demo: waited for and, where it is empty, furnished with tables and history."""

from collections.abc import Callable
from datetime import UTC, datetime

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from exporter.clock import Clock
from exporter.demo.connections import transaction
from exporter.demo.history import Progress, fill
from exporter.demo.tables import has_tables, make_roles, make_tables
from exporter.errors import ExporterError
from exporter.tools.database_url import DatabaseUrl
from exporter.tools.sql import SQL_ERRORS, sql_failure

RETRY_SECONDS = 1.0
ATTEMPT_SECONDS = 5.0

_LOCK = 9877
"""What two that furnish one database at the same time agree on: the later one finds it furnished."""

_TABLES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""


async def reach(
    pool: asyncpg.Pool, url: DatabaseUrl, clock: Clock, *, deadline: float, say: Callable[[str], None]
) -> None:
    """Waits until the database takes connections, for `deadline` seconds, and says why it waits when that changes.

    Raises ExporterError when it does not come, and at once where the login or TLS is refused.
    """
    until = clock.monotonic() + deadline
    said = ""
    while True:
        try:
            async with clock.timeout(ATTEMPT_SECONDS), pool.acquire():
                return
        except SQL_ERRORS as error:
            failure = sql_failure(error, url)
        if failure.reason in ("auth", "tls"):
            raise ExporterError(f"the database refuses: {failure}")
        if clock.monotonic() + RETRY_SECONDS > until:
            raise ExporterError(f"the database takes no connections after {deadline:g} s: {failure}")
        if str(failure) != said:
            say(f"waiting for the database: {failure}")
        said = str(failure)
        await clock.sleep(RETRY_SECONDS)


async def furnish(
    pool: asyncpg.Pool, url: DatabaseUrl, clock: Clock, *, password: str | None, progress: Progress
) -> None:
    """Makes the tables and fills them, where that is not done; with a password, makes the roles for the exporter too.

    All of it or nothing, in one transaction. Raises ExporterError, also for a database that holds anything else.
    """
    try:
        async with transaction(pool) as connection:
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if not await has_tables(connection):
                await _refuse_others(connection, url)
                await make_tables(connection)
                await fill(connection, datetime.fromtimestamp(clock.now(), UTC).replace(tzinfo=None), progress)
            if password:
                await make_roles(connection, password)
    except SQL_ERRORS as error:
        raise ExporterError(f"the database cannot be furnished: {sql_failure(error, url)}") from error


async def _refuse_others(connection: PoolConnectionProxy, url: DatabaseUrl) -> None:
    if tables := [name for (name,) in await connection.fetch(_TABLES)]:
        more = f" and {len(tables) - 1} more" if tables[1:] else ""
        raise ExporterError(
            f"the database {url.database} has tables that are not the demo's ({tables[0]}{more}): name an empty one"
        )
