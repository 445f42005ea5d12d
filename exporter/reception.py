"""What apps and browsers send: the endpoints that are configured, on a listener of their own."""

from contextlib import AsyncExitStack

import structlog

from exporter.limits import Given, Listener
from exporter.metrics.store import Store
from exporter.settings import Settings
from exporter.tools import Tools

log = structlog.get_logger(__name__)


class Reception:
    """The listener and its endpoints, for one configuration."""

    def __init__(self, settings: Settings, store: Store, tools: Tools) -> None:
        self._settings = settings
        self._store = store
        self._tools = tools
        self._closing = AsyncExitStack()
        self.url = ""

    async def open(self) -> None:
        """Listens; raises ExporterError where it cannot, and then nothing is left open."""
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> None:
        options = self._settings.ingest
        if options is None:
            return
        given = Given(self._store, self._tools, self._settings.environment, None, self._closing)
        endpoints = [endpoint for section in options.sections for endpoint in section.endpoints(given)]
        listener = Listener(endpoints, options.limits, self._store, self._tools.clock)
        self._closing.push_async_callback(listener.close)
        self.url = await listener.start(*options.listen)
        log.info("ingest.started", url=self.url, endpoints=[endpoint.path for endpoint in endpoints])

    async def close(self) -> None:
        """Stops listening, then ends what the endpoints have under way."""
        await self._closing.aclose()
