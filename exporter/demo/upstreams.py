"""The toy Chatterfy that the exporter probes: a web site and an API, each as small as its URLs allow."""

from collections.abc import Awaitable, Callable, Collection
from random import Random

from aiohttp import web

from exporter.clock import Clock
from exporter.demo.outages import Outage

SLOW_SECONDS = 6.0
"""Longer than any probe waits, by the demo's configuration and by default."""

ERROR_SHARE = 0.2

_DEPENDENCIES = {"db": {Outage.DATABASE, Outage.HANG}, "stripe": {Outage.STRIPE}, "s3": {Outage.S3}}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_web() -> web.Application:
    """The web site: a page, and its health."""
    app = web.Application()
    app.router.add_get("/", _page)
    app.router.add_get("/api/health", _health)
    return app


def build_api(clock: Clock, random: Random, broken: Collection[Outage]) -> web.Application:
    """The API: its health, that of what it depends on, and a chat that wants a key. It suffers as `broken` says."""

    @web.middleware
    async def suffer(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if Outage.SLOW in broken:
            await clock.sleep(SLOW_SECONDS)
        if Outage.ERRORS in broken and random.random() < ERROR_SHARE:
            return web.json_response({"error": "Internal Server Error"}, status=500)
        return await handler(request)

    async def dependency(request: web.Request) -> web.Response:
        if not _DEPENDENCIES[request.match_info["name"]].isdisjoint(broken):
            return web.json_response({"status": "unhealthy"}, status=503)
        return web.json_response({"status": "healthy"})

    app = web.Application(middlewares=[suffer])
    app.router.add_get("/health", _health)
    app.router.add_get("/admin/health/{name:db|stripe|s3}", dependency)
    app.router.add_post("/v1/chat/completions", _chat)
    return app


async def _page(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>Chatterfy</title><h1>Chatterfy</h1>", content_type="text/html")


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy"})


async def _chat(request: web.Request) -> web.Response:
    if "Authorization" not in request.headers:
        return web.json_response({"error": "missing API key"}, status=401)
    return web.json_response({"choices": [{"message": {"role": "assistant", "content": "Hello!"}}]})
