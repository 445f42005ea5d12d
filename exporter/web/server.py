"""The operator's listener: one socket for scrapers, load balancers and the engineer on call."""

from collections.abc import Iterable

from aiohttp import web

from exporter.errors import ExporterError
from exporter.tools.dial import reason_of
from exporter.web import handbook, health, metrics, status
from exporter.web.middleware import guard
from exporter.web.site import SITE, Site


class Server:
    """Serves one site on one address, and the endpoints that others bring."""

    def __init__(self, site: Site, more: Iterable[web.RouteDef]) -> None:
        application = web.Application(middlewares=[guard], client_max_size=64 * 1024)
        application[SITE] = site
        for module in (metrics, health, status, handbook):
            application.add_routes(module.routes)
        application.add_routes(more)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)

    async def start(self, host: str, port: int) -> str:
        """Listens, and returns the URL; raises ExporterError when the address cannot be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ExporterError(f"listen: {host}:{port} cannot be had: {reason_of(error)}") from error
        address = self._runner.addresses[0]
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"http://{shown}:{address[1]}"

    async def close(self) -> None:
        """Stops listening, and gives requests under way one second."""
        await self._runner.cleanup()
