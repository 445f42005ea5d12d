"""PostgreSQL: what its errors mean, and the few connections that all queries share."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from socket import gaierror
from typing import TYPE_CHECKING

import asyncpg

from exporter.clock import Clock
from exporter.errors import Failed, Reason
from exporter.tools.database_url import DatabaseUrl
from exporter.tools.dial import reason_of

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

_CLASSES: tuple[tuple[str, Reason], ...] = (
    ("28", "auth"),
    ("42501", "auth"),
    ("53", "quota"),
    ("55P03", "timeout"),
    ("57014", "timeout"),
    ("57P", "connect"),
    ("08", "connect"),
    ("3D", "connect"),
    ("55000", "connect"),
)
"""SQLSTATE prefixes (https://www.postgresql.org/docs/current/errcodes-appendix.html); every other one is `query`."""

SQL_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""All that connecting and asking may raise; the last where the server ends a session between two statements."""

PATIENCE = 1.0
"""Seconds to wait for a free connection: more would be a queue."""


def sql_failure(error: Exception, url: DatabaseUrl) -> Failed:
    """One of SQL_ERRORS as a reason and a detail."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        reason: Reason = next((reason for prefix, reason in _CLASSES if state.startswith(prefix)), "query")
        return Failed(reason, f"{error.args[0]} (SQLSTATE {state})")
    where = f"{url.host}:{url.port}"
    if isinstance(error, ssl.SSLError):
        return Failed("tls", f"{where}: {getattr(error, 'verify_message', error.reason)}")
    if isinstance(error, OSError) and error.errno:
        return Failed("dns" if isinstance(error, gaierror) else "connect", f"{where}: {reason_of(error)}")
    # asyncpg's own words. Where TLS is a must they speak of the server's answer to the wish for it.
    told = str(error) or type(error).__name__
    refused = url.needs_tls and ("SSL" in told or "TLS" in told)
    return Failed("tls" if refused else "connect", f"{where}: {told}")


async def _nothing(_: object) -> None:
    """A connection that is given back needs no cleaning: all that a transaction sets ends with it."""


class Pool:
    """At most `size` connections, opened when they are needed; what fails costs its connection, and nobody waits."""

    def __init__(self, url: DatabaseUrl, size: int, clock: Clock) -> None:
        self.url = url
        self._clock = clock
        self._free = asyncio.Semaphore(size)
        self._pool = asyncpg.create_pool(
            url.dsn,
            host=url.host,
            port=url.port,
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=120,
            statement_cache_size=0,
            reset=_nothing,
            server_settings={"application_name": "chatterfy-exporter", "timezone": "UTC"},
        )
        self._opened = False
        self._leaving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def transaction(self, begin: str, seconds: float) -> AsyncIterator["Connection"]:
        """A transaction begun with `begin` (SQL), whose statements the server ends a little before `seconds` are over.

        Raises Failed: with `pool` when no connection is free in time, else with what the server or the network says.
        """
        try:
            async with self._clock.timeout(PATIENCE):
                await self._free.acquire()
        except TimeoutError:
            raise Failed("pool", f"waited {PATIENCE:g} s for one of the exporter's own connections") from None
        try:
            connection = await self._acquire()
        except BaseException:
            self._free.release()
            raise
        done = False
        try:
            await connection.execute(f"{begin}; SET LOCAL statement_timeout = {max(1, int(seconds * 900))}")
            yield connection
            await connection.execute("COMMIT")
            done = True
        except SQL_ERRORS as error:
            raise sql_failure(error, self.url) from error
        finally:
            # Giving back ends what still runs on the server, which may hang: the run does not wait for it.
            leaving = asyncio.create_task(self._release(connection, done=done))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Ends what runs, on the server too, and closes every connection within two seconds."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=1.5)
        if self._opened:
            self._pool.terminate()

    async def _acquire(self) -> "Connection":
        try:
            if not self._opened:
                # Connects nowhere yet: the pool has no minimal size.
                await self._pool
                self._opened = True
            return await self._pool.acquire()
        except SQL_ERRORS as error:
            raise sql_failure(error, self.url) from error

    async def _release(self, connection: "Connection", *, done: bool) -> None:
        try:
            with suppress(*SQL_ERRORS, TimeoutError):
                async with self._clock.timeout(1.0):
                    if not done:
                        # Waits until what was cancelled has ended on the server.
                        await connection.execute("ROLLBACK")
        finally:
            with suppress(*SQL_ERRORS, TimeoutError):
                await self._pool.release(connection, timeout=1)
            self._free.release()
