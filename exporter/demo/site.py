"""A web application that can be taken down and comes back on the same port."""

from collections.abc import Callable
from ssl import SSLContext
from typing import NamedTuple

from aiohttp import web

from exporter.errors import ExporterError
from exporter.tools.dial import reason_of

HOST = "127.0.0.1"

GRACE = 0.1
"""Seconds that a request at work may still take when the site is taken down."""


class Site:
    """Serves what `build` makes, plain on `port` and, given a certificate, also over TLS.

    Where the port is 0, and over TLS, the first start picks a free one.
    """

    def __init__(
        self,
        build: Callable[[], web.Application],
        certificate: SSLContext | None = None,
        *,
        host: str = HOST,
        port: int = 0,
    ) -> None:
        self._build = build
        self._certificate = certificate
        self._runner: web.AppRunner | None = None
        self._host = host
        self.port = port
        self.tls_port = 0

    @property
    def url(self) -> str:
        """Where the plain site is, without a slash at the end."""
        return f"http://{_shown(self._host)}:{self.port}"

    @property
    def tls_url(self) -> str:
        """Where the site is over TLS, without a slash at the end."""
        return f"https://localhost:{self.tls_port}"

    async def start(self) -> None:
        """Starts to listen; raises ExporterError where the port cannot be had."""
        self._runner = web.AppRunner(self._build(), access_log=None, shutdown_timeout=GRACE)
        await self._runner.setup()
        self.port = await self._listen(self._runner, self.port, None)
        if self._certificate:
            self.tls_port = await self._listen(self._runner, self.tls_port, self._certificate)

    async def stop(self) -> None:
        """Closes the ports and every connection: a caller is refused. Does nothing where the site is down."""
        runner, self._runner = self._runner, None
        if runner:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner, port: int, certificate: SSLContext | None) -> int:
        site = web.TCPSite(runner, self._host, port, ssl_context=certificate)
        try:
            await site.start()
        except OSError as error:
            raise ExporterError(f"{_shown(self._host)}:{port} cannot be had: {reason_of(error)}") from error
        return site.port


Ports = tuple[int, int, int, int]
"""Of the web site, the API, Stripe and S3, as in Sites; 0 for one that is free."""


class Place(NamedTuple):
    """Where sites listen."""

    host: str = HOST
    ports: Ports = (0, 0, 0, 0)


class Sites(NamedTuple):
    """The demo's sites, one for each thing that answers over HTTP."""

    web: Site
    api: Site
    stripe: Site
    s3: Site


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
