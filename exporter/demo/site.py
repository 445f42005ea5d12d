"""A web application on loopback that can be taken down and comes back on the same port."""

from collections.abc import Callable
from ssl import SSLContext
from typing import NamedTuple

from aiohttp import web

HOST = "127.0.0.1"

GRACE = 0.1
"""Seconds that a request at work may still take when the site is taken down."""


class Site:
    """Serves what `build` makes, plain and, given a certificate, also over TLS; the first start picks free ports."""

    def __init__(self, build: Callable[[], web.Application], certificate: SSLContext | None = None) -> None:
        self._build = build
        self._certificate = certificate
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.tls_port = 0

    @property
    def url(self) -> str:
        """Where the plain site is, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def tls_url(self) -> str:
        """Where the site is over TLS, without a slash at the end."""
        return f"https://localhost:{self.tls_port}"

    async def start(self) -> None:
        """Starts to listen."""
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
        site = web.TCPSite(runner, HOST, port, ssl_context=certificate)
        await site.start()
        return site.port


class Sites(NamedTuple):
    """The demo's sites, one for each thing that answers over HTTP."""

    web: Site
    api: Site
    stripe: Site
    s3: Site
