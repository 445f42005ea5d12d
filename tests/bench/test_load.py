"""The load that the bench puts on a server."""

import pytest
from aiohttp import web

from bench.programs.load import load
from tests.support.servers import http_server

pytestmark = pytest.mark.fast


async def answer(_: web.Request) -> web.Response:
    return web.Response(body=b"x" * 300_000)


async def refuse(_: web.Request) -> web.Response:
    return web.Response(status=503)


async def test_it_asks_as_often_as_it_was_told():
    async with http_server(answer) as port:
        found = await load(f"http://127.0.0.1:{port}/", connections=2, seconds=0.5, rate=20)

    assert 8 <= found["count"] <= 12
    assert found["median"] <= found["p99"] <= found["longest"]


async def test_it_does_not_count_what_failed():
    async with http_server(refuse) as port:
        with pytest.raises(ConnectionError, match="503"):
            await load(f"http://127.0.0.1:{port}/", connections=1, seconds=0.5, rate=0)
