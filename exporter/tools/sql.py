"""PostgreSQL: what its errors mean, and the few connections that all queries share."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import gaierror
from typing import TYPE_CHECKING

import asyncpg

from exporter.clock import Clock
from exporter.errors import Failed, Reason
from exporter.tools.database_url import DatabaseUrl
from exporter.tools.dial import reason_of

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

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


IDLE = 120.0
"""Seconds after which a connection that nobody has used is not used again: what is in between may have forgotten it."""


class Pool:
    """At most `size` connections, opened when they are needed; what fails costs its connection, and nobody waits.

    They are asyncpg's. Its own pool is not used: a loan from it takes 90 us, a quarter of a small transaction's CPU.
    """

    def __init__(self, url: DatabaseUrl, size: int, clock: Clock) -> None:
        self.url = url
        self._clock = clock
        self._free = asyncio.Semaphore(size)
        self._open: set[Connection] = set()
        self._idle: list[tuple[Connection, float]] = []
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
            connection = self._rested() or await self._opened()
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
            if done:
                self._give_back(connection)
            else:
                # Ends what still runs on the server, which may hang: the run does not wait for it.
                leaving = asyncio.create_task(self._undo(connection))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Ends what runs, on the server too, and closes every connection within two seconds."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=1.5)
        for connection in self._open:
            connection.terminate()

    def _rested(self) -> "Connection | None":
        """The connection that was given back last; those that are closed or have rested for too long are given up."""
        while self._idle:
            connection, since = self._idle.pop()
            if not connection.is_closed() and self._clock.monotonic() - since < IDLE:
                return connection
            self._end(connection)
        return None

    async def _opened(self) -> "Connection":
        try:
            connection = await asyncpg.connect(
                self.url.dsn,
                host=self.url.host,
                port=self.url.port,
                statement_cache_size=0,
                server_settings={"application_name": "chatterfy-exporter", "timezone": "UTC"},
            )
        except SQL_ERRORS as error:
            raise sql_failure(error, self.url) from error
        self._open.add(connection)
        return connection

    async def _undo(self, connection: "Connection") -> None:
        try:
            async with self._clock.timeout(1.0):
                # Waits until what was cancelled has ended on the server.
                await connection.execute("ROLLBACK")
        except (*SQL_ERRORS, TimeoutError):
            self._end(connection)
        finally:
            self._give_back(connection)

    def _give_back(self, connection: "Connection") -> None:
        if connection in self._open:
            self._idle.append((connection, self._clock.monotonic()))
        self._free.release()

    def _end(self, connection: "Connection") -> None:
        self._open.discard(connection)
        connection.terminate()
