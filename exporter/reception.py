"""What apps and browsers send: the endpoints that are configured, on a listener of their own."""

import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

import structlog

from exporter.errors import ExporterError
from exporter.ingest.durable import DurableKeeper
from exporter.limits import Given, Listener
from exporter.limits.sockets import bind, release, url_of
from exporter.metrics.store import Store
from exporter.settings import Settings
from exporter.tables import Tables
from exporter.tools import Tools
from exporter.tools.database_url import parse_database_url

log = structlog.get_logger(__name__)


class Reception:
    """The listener and its endpoints, in step with the configuration. `url` is empty where nothing listens."""

    def __init__(self, store: Store, tools: Tools) -> None:
        self._store = store
        self._tools = tools
        self._sockets: Sequence[socket.socket] = ()
        self._closing = AsyncExitStack()
        self._settings: Settings | None = None
        self._names: set[str] = set()
        self._keeper: DurableKeeper | None = None
        self.url = ""

    def hold(self, table: str) -> float | None:
        """Before which no row of the table is on its way any more, in seconds since 1970; None where none is stored."""
        return self._keeper.hold(table) if self._keeper else None

    async def apply(self, settings: Settings) -> None:
        """Serves what the configuration has now; raises ExporterError where that cannot be, and serves as before.

        The new address is had before the old one is given up, and one that stays is never given up: who connects
        meanwhile waits for the new listener, and requests under way get their answers from the old one.
        """
        before = self._settings
        if before and _sections(before) == _sections(settings):
            return
        kept = bool(before and before.ingest and settings.ingest and before.ingest.listen == settings.ingest.listen)
        wanted = settings.ingest if settings.ingest and settings.ingest.sections else None
        sockets: Sequence[socket.socket] = ()
        if wanted:
            sockets = self._sockets if kept and self._sockets else await self._bind(*wanted.listen)
        await self._stop()
        try:
            await self._serve(settings, sockets)
        except ExporterError as error:
            if sockets is not self._sockets:
                release(sockets)
            await self._serve_as_before(before)
            raise ExporterError(f"{error}{self._still}") from error
        if sockets is not self._sockets:
            release(self._sockets)
            self._sockets = sockets

    async def close(self) -> None:
        """Stops listening, then ends what the endpoints have under way."""
        await self._stop()
        release(self._sockets)
        self._sockets = ()

    async def _bind(self, host: str, port: int) -> Sequence[socket.socket]:
        try:
            return await bind(host, port)
        except ExporterError as error:
            raise ExporterError(f"{error}{self._still}") from error

    @property
    def _still(self) -> str:
        return f" ({self.url} is served as before)" if self.url else ""

    async def _serve_as_before(self, settings: Settings | None) -> None:
        if settings:
            with suppress(ExporterError):
                await self._serve(settings, self._sockets)
                return
        await self.close()

    async def _serve(self, settings: Settings, sockets: Sequence[socket.socket]) -> None:
        try:
            await self._open(settings, sockets)
        except BaseException:
            await self._stop()
            raise

    async def _open(self, settings: Settings, sockets: Sequence[socket.socket]) -> None:
        self._closing = AsyncExitStack()
        names: set[str] = set()
        if settings.ingest and sockets:
            given = Given(self._store, self._tools, settings.environment, self._keep(settings), self._closing)
            endpoints = [endpoint for section in settings.ingest.sections for endpoint in section.endpoints(given)]
            listener = Listener(endpoints, settings.ingest.limits, self._store, self._tools.clock)
            self._closing.push_async_callback(listener.close)
            await listener.listen(sockets)
            self.url = url_of(sockets)
            names = {endpoint.name for endpoint in endpoints}
            log.info("ingest.started", url=self.url, endpoints=[endpoint.path for endpoint in endpoints])
        for name in self._names - names:
            self._store.forget("endpoint", name)
        self._names, self._settings = names, settings

    def _keep(self, settings: Settings) -> DurableKeeper | None:
        """Begins to keep rows, where an endpoint stores some and there is a database."""
        ingest, database = settings.ingest, settings.database
        url = ingest and (ingest.url or (database and database.url))
        if not ingest or not url or not any(section.STORES for section in ingest.sections):
            return None
        place = parse_database_url(url.reveal())
        keeper = DurableKeeper(place, Tables.of(settings.tables, place.schema), ingest, self._store, self._tools.clock)
        self._closing.push_async_callback(keeper.close)
        keeper.start()
        # The one before answers until here, since what it did not store is in the same spool.
        self._keeper = keeper
        return keeper

    async def _stop(self) -> None:
        self.url, self._settings = "", None
        await self._closing.aclose()


def _sections(settings: Settings) -> tuple[object, ...]:
    """What the endpoints are made of."""
    return settings.ingest, settings.database, settings.tables, settings.environment
