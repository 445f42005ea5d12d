"""Stripe, played by localstripe in this process, on a port of 127.0.0.1."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from exporter.demo.stripe import build_stripe


@asynccontextmanager
async def stripe_server(port: int = 0) -> AsyncIterator[str]:
    """Gives the address of the API."""
    runner = web.AppRunner(build_stripe(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()
