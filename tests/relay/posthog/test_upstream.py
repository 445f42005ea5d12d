"""PostHog's answers come back as they are and no further; whatever PostHog does, nobody waits longer than allowed."""

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web

from exporter.limits import LimitsOptions
from exporter.relay.posthog.upstream import REASONS
from tests.support.clock import settle
from tests.support.relay import Relaying
from tests.support.running import value
from tests.support.servers import answer, closed_port, hang, raw_server, reset

EVENT = b'{"api_key": "phc_a", "event": "chat_message_sent"}'
SCRIPT = b"(function () { /* a script */ })()\n" * 40_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\n"


def failures(page: str, reason: str) -> Any:
    return value(page, f'chatterfy_posthog_forward_failures_total{{reason="{reason}"}}')


def rejected(page: str, endpoint: str = "posthog") -> Any:
    return value(page, f'chatterfy_ingest_rejected_total{{endpoint="{endpoint}",reason="upstream"}}')


def sent(page: str) -> Any:
    return value(page, 'chatterfy_posthog_events_total{event="chat_message_sent"}')


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def get(it: Relaying, path: str, **headers: str) -> tuple[int, Any, bytes]:
    """What comes back, not inflated."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(
            it.url + path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        ) as response,
    ):
        return response.status, response.headers, await response.read()


def says(body: bytes, **headers: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def say(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={name.replace("_", "-"): it for name, it in headers.items()})

    return say


@pytest.mark.parametrize(
    ("status", "reason"),
    [(200, None), (204, None), (400, "status"), (401, "auth"), (404, None), (429, "quota"), (503, "status")],
)
async def test_posthogs_status_and_words_come_back(posthog, upstream, status, reason):
    text = "" if status == 204 else '{"status": 0}'
    upstream.answers(status, text, Content_Type="application/json", Retry_After="7")

    async with posthog() as it:
        came = await it.post("/ingest/e/", EVENT)
        page = await it.page()

    assert (came[0], came[2]) == (status, text)
    assert came[1]["Retry-After"] == "7"
    assert value(page, "chatterfy_posthog_forwards_total") == 1
    assert [failures(page, it) for it in ("status", "auth", "quota")] == [
        it == reason for it in ("status", "auth", "quota")
    ]
    assert rejected(page) == 0


async def test_a_script_comes_back_as_it_was_compressed_with_few_of_its_headers(posthog, assets):
    packed = gzip.compress(SCRIPT)
    assets.answer = says(
        packed, Content_Type="text/javascript", Content_Encoding="gzip", ETag='"1"', Cache_Control="public, max-age=60",
        Vary="Accept-Encoding", Set_Cookie="ph=1", Location="https://evil.example.com/", Server="x", X_Powered_By="y",
        Access_Control_Allow_Origin="*", Strict_Transport_Security="max-age=1", Refresh="0",
    )  # fmt: skip

    async with posthog(origins=["https://app.example.com"]) as it:
        status, headers, body = await get(it, "/ingest/static/array.js", Origin="https://app.example.com")

    assert (status, body) == (200, packed)
    assert {name.title(): text for name, text in headers.items() if name not in ("Date", "Server")} == {
        "Content-Type": "text/javascript", "Content-Encoding": "gzip", "Etag": '"1"',
        "Cache-Control": "public, max-age=60",
        "Content-Length": str(len(packed)), "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding, Origin",
        "Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Credentials": "true",
    }  # fmt: skip


async def test_what_a_browser_has_already_is_not_sent_again(posthog, assets):
    assets.answers(304, ETag='"1"', Content_Type="text/javascript")

    async with posthog() as it:
        status, headers, body = await get(it, "/ingest/static/array.js", If_None_Match='"1"')

    assert (status, headers["ETag"], body) == (304, '"1"', b"")
    assert assets.came[0].headers["If-None-Match"] == '"1"'


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "TEXT/HTML; charset=utf-8"])
async def test_nothing_comes_back_as_a_page(posthog, assets, kind):
    assets.answer = says(b"<script>", Content_Type=kind)

    async with posthog() as it:
        _, headers, body = await get(it, "/ingest/static/array.js")

    assert (headers["Content-Type"], body) == ("text/plain", b"<script>")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_neither_followed_nor_passed_back(posthog, upstream, assets, status):
    assets.answers(status, Location=f"http://127.0.0.1:{upstream.port}/secret")

    async with posthog() as it:
        came = await get(it, "/ingest/static/array.js")
        page = await it.page()

    assert came[0] == 502
    assert "Location" not in came[1]
    assert upstream.came == []
    assert failures(page, "status") == rejected(page, "posthog_assets") == 1


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 999 No\r\n\r\n", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", b"hello\r\n\r\n"]
)
async def test_what_is_no_answer_is_not_passed_back(posthog, head):
    async with raw_server(answer(head)) as port, posthog(assets=f"http://127.0.0.1:{port}") as it:
        status, _, body = await get(it, "/ingest/static/array.js")
        page = await it.page()

    assert status == 502
    assert body == b"PostHog could not be reached, or has given no answer that can be passed back\n"
    assert failures(page, "status") == 1


async def test_a_header_that_cannot_be_passed_back_is_left_out(posthog):
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: "\xff"\r\nCache-Control: caf\xc3\xa9\r\n\r\nok'

    async with raw_server(answer(head)) as port, posthog(assets=f"http://127.0.0.1:{port}") as it:
        status, headers, body = await get(it, "/ingest/static/array.js")

    assert (status, body) == (200, b"ok")
    assert not {"ETag", "Cache-Control"} & set(headers)


async def test_an_answer_streams_back_while_it_comes(posthog, assets):
    more = asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first ")
        await more.wait()
        await response.write(b"second")
        return response

    assets.answer = slowly
    async with posthog() as it, it.session.get(f"{it.url}/ingest/static/array.js") as response:
        first = await response.content.readany()
        more.set()
        rest = await response.read()

    assert (first, rest) == (b"first ", b"second")


@pytest.mark.parametrize("path", ["/ingest/e/", "/ingest/flags/", "/ingest/s/"])
async def test_when_posthog_cannot_be_reached_its_events_are_counted(posthog, path):
    async with posthog(api=f"http://127.0.0.1:{closed_port()}") as it:
        came = await it.post(path, EVENT)
        page = await it.page()

    assert came[0] == 502
    assert came[2].startswith("PostHog could not be reached")
    assert sent(page) == (path == "/ingest/e/")
    assert failures(page, "connect") == rejected(page) == value(page, "chatterfy_posthog_forwards_total") == 1


async def test_when_posthog_hangs_up_it_is_told_so(posthog):
    async with raw_server(reset) as port, posthog(api=f"http://127.0.0.1:{port}") as it:
        came = await it.post("/ingest/e/", EVENT)
        page = await it.page()

    assert came[0] == 502
    assert failures(page, "connect") == rejected(page) == 1


async def test_who_waits_for_a_slow_posthog_waits_no_longer_than_allowed(posthog, clock):
    async with raw_server(hang) as port, posthog(api=f"http://127.0.0.1:{port}", timeout="3s", clock=clock) as it:
        waiting = asyncio.create_task(it.post("/ingest/e/", EVENT))
        await until(lambda: it.came)
        await settle()
        await clock.advance(2.9)
        early = waiting.done()
        await clock.advance(0.2)
        status, _, text = await waiting
        page = await it.page()

    assert not early
    assert (status, text) == (504, "PostHog has not answered in time\n")
    assert sent(page) == failures(page, "timeout") == rejected(page) == 1


async def test_a_slow_posthog_does_not_use_up_the_listener(posthog, clock):
    async with (
        raw_server(hang) as port,
        posthog(api=f"http://127.0.0.1:{port}", timeout="3s", under_way=8, clock=clock) as it,
    ):
        waiting = [asyncio.create_task(it.post("/ingest/e/", EVENT)) for _ in range(2)]
        await until(lambda: len(it.came) == 2)
        refused = await it.post("/ingest/e/", EVENT)
        await clock.advance(3)
        await asyncio.gather(*waiting)
        again = asyncio.create_task(it.post("/ingest/e/", EVENT))
        await until(lambda: len(it.came) == 4)
        await settle()
        await clock.advance(3)
        late = await again
        page = await it.page()

    assert (refused[0], refused[1]["Retry-After"]) == (503, "1")
    assert refused[2] == "too many requests are under way to PostHog\n"
    assert late[0] == 504
    assert failures(page, "full") == 1
    assert sent(page) == 4


@pytest.mark.parametrize("framed", [b"Content-Length: 99999999\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_an_endless_answer_ends(posthog, framed):
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + framed)
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    async with raw_server(endless) as port, posthog(assets=f"http://127.0.0.1:{port}", answer="1MiB") as it:
        if b"chunked" in framed:
            with pytest.raises(aiohttp.ClientError):
                await get(it, "/ingest/static/array.js")
        else:
            assert (await get(it, "/ingest/static/array.js"))[0] == 502
        page = await it.page()

    assert failures(page, "body") == 1


@pytest.mark.parametrize(
    "framed", [b"Content-Length: 10\r\n\r\n12345", b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"]
)
async def test_an_answer_that_ends_early_is_not_taken_for_a_whole_one(posthog, framed):
    async with raw_server(answer(HEAD + framed)) as port, posthog(assets=f"http://127.0.0.1:{port}") as it:
        with pytest.raises(aiohttp.ClientError):
            await get(it, "/ingest/static/array.js")
        page = await it.page()

    assert failures(page, "body") == 1
    assert rejected(page, "posthog_assets") == 0


async def test_an_answer_that_comes_drop_by_drop_is_cut_off(posthog, clock):
    async def drops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 10\r\n\r\ndrop")
        await reader.read()

    async with (
        raw_server(drops) as port,
        posthog(assets=f"http://127.0.0.1:{port}", clock=clock, timeout="5s") as it,
        it.session.get(f"{it.url}/ingest/static/a.js") as response,
    ):
        first = await response.content.readany()
        await clock.advance(5)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
        page = await it.page()

    assert first == b"drop"
    assert failures(page, "timeout") == 1


async def test_a_client_that_goes_away_is_no_failure_of_posthogs(posthog, assets):
    more, gone = asyncio.Event(), asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first ")
        await more.wait()
        try:
            while True:
                await response.write(b"x" * 65536)
                await asyncio.sleep(0.01)
        except ConnectionResetError:
            gone.set()
        return response

    assets.answer = slowly
    async with posthog() as it:
        async with it.session.get(f"{it.url}/ingest/static/array.js") as response:
            await response.content.readany()
        more.set()
        async with asyncio.timeout(10):
            await gone.wait()
        page = await it.page()

    assert value(page, "chatterfy_posthog_forwards_total") == 1
    assert [failures(page, it) for it in ("body", "connect", "status", "timeout")] == [0] * 4


async def test_an_answer_that_breaks_off_when_the_client_has_gone_is_counted(posthog):
    more = asyncio.Event()

    async def part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 10\r\n\r\npart")
        await more.wait()

    async with raw_server(part) as port, posthog(assets=f"http://127.0.0.1:{port}") as it:
        async with it.session.get(f"{it.url}/ingest/static/array.js") as response:
            await response.content.readany()
        await it.post("/ingest/e/", EVENT)  # after which the proxy knows that the first one has gone
        more.set()
        async with asyncio.timeout(10):
            while not failures(page := await it.page(), "body"):
                await asyncio.sleep(0.01)

    assert failures(page, "body") == 1
    assert value(page, "chatterfy_posthog_forwards_total") == 2


def slow_reader(port: int) -> socket.socket:
    """A client that has asked for a script, and does not read it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.connect(("127.0.0.1", port))
    sock.sendall(b"GET /ingest/static/array.js HTTP/1.1\r\nHost: x\r\n\r\n")
    return sock


async def test_a_client_that_goes_away_before_it_has_read_all_is_no_failure_at_all(posthog, assets):
    assets.answers(200, "x" * 8_000_000)
    async with posthog() as it:
        with slow_reader(int(it.url.rpartition(":")[2])) as reader:
            await until(lambda: len(assets.came) == 1)
            reader.recv(1)  # the answer is on its way, and more of it than anything between takes up
        async with asyncio.timeout(10):
            while not value(page := await it.page(), "chatterfy_posthog_forwards_total"):
                await asyncio.sleep(0.01)

    assert sum(failures(page, reason) for reason in REASONS) == 0
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="posthog_assets",reason="internal"}') == 0


async def test_slow_readers_of_one_address_take_a_quarter_of_the_places_and_are_no_failure_of_posthogs(
    posthog, assets, clock
):
    assets.answers(200, "x" * 8_000_000)
    async with posthog(under_way=8, clock=clock, limits=LimitsOptions(proxies=1)) as it, AsyncExitStack() as stack:
        readers = [stack.enter_context(slow_reader(int(it.url.rpartition(":")[2]))) for _ in range(2)]
        await until(lambda: len(assets.came) == 2)
        for reader in readers:
            reader.recv(1)
        one_more = await it.session.get(f"{it.url}/ingest/static/array.js")
        other = await it.post("/ingest/e/", EVENT, X_Forwarded_For="192.0.2.1")
        await settle()
        await clock.advance(60)
        async with asyncio.timeout(10):
            while value(page := await it.page(), "chatterfy_posthog_forwards_total") != 4:
                await asyncio.sleep(0.01)

    assert (one_more.status, other[0]) == (503, 200)
    assert failures(page, "timeout") == 0
    assert failures(page, "full") == 1


async def test_connections_are_kept(posthog, upstream):
    async with posthog() as it:
        for _ in range(5):
            await it.post("/ingest/e/", EVENT)

    assert len(upstream.connections) == 1


async def test_the_log_says_when_failing_begins_and_ends_and_quotes_nothing(posthog, upstream):
    async with posthog() as it:
        with structlog.testing.capture_logs() as logs:
            for status in (200, 400, 503, 400, 503, 200, 403, 200):
                upstream.answers(status, "x")
                await it.post("/ingest/e/?token=phc_secret", EVENT)

    assert logs == [
        {"event": "posthog.forward_failed", "log_level": "warning", "reason": "status", "detail": "the status is 503"},
        {"event": "posthog.forwarded", "log_level": "info"},
    ]
