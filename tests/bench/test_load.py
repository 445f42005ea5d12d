"""The load that the bench puts on a server."""

import asyncio
import json
from itertools import islice

import pytest
from aiohttp import web

from bench.programs.load import NUMBER, load, requests
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


async def test_it_posts_what_it_was_told():
    came: list[tuple[str, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        came.append((request.headers["Content-Type"], await request.read()))
        return web.Response(status=202)

    async with http_server(take) as port:
        url = f"http://127.0.0.1:{port}/v1/events"
        await load(url, 1, 0.5, 10, requests(url, b'{"event": "it"}', "application/json"))

    assert set(came) == {("application/json", b'{"event": "it"}')}


def test_each_body_has_another_number_where_one_is_wanted():
    wanted = requests("http://127.0.0.1/", b'{"id": "' + NUMBER + b'"}', "application/json")

    heads, bodies = zip(*(request.split(b"\r\n\r\n") for request in islice(wanted, 3)), strict=True)

    assert len({json.loads(body)["id"] for body in bodies}) == 3
    assert len({*heads}) == 1
    assert all(f"Content-Length: {len(body)}".encode() in heads[0] for body in bodies)


async def test_who_answers_late_makes_the_requests_that_waited_late():
    stuck = True

    async def take(_: web.Request) -> web.Response:
        nonlocal stuck
        if stuck:
            stuck = False
            await asyncio.sleep(0.3)
        return web.Response()

    async with http_server(take) as port:
        found = await load(f"http://127.0.0.1:{port}/", connections=1, seconds=0.4, rate=50)

    assert found["median"] >= 0.05
