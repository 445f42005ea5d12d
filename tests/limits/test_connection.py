"""Connections from strangers: slow ones, too many, and what is no HTTP."""

import asyncio
import logging
import resource
from contextlib import suppress

import pytest
from aiohttp import web

from exporter.clock import SystemClock
from exporter.limits import Endpoint
from exporter.limits.connection import affordable
from tests.support.listening import listening, request


@pytest.mark.parametrize("sent", [b"", b"POST", b"POST /v1/echo HTTP/1.1\r\nHost: x\r\n"])
async def test_a_client_that_does_not_send_its_headers_is_dropped_in_time(sent):
    async with listening(SystemClock(), time="100ms") as it, it.connection() as peer:
        await peer.send(sent)

        assert await peer.end() == b""


async def test_headers_that_come_byte_by_byte_do_not_prolong_it():
    async with listening(SystemClock(), time="200ms") as it, it.connection() as peer:
        await peer.send(b"POST /v1/echo HTTP/1.1\r\n")
        trickle = asyncio.create_task(trickling(peer))
        ended = await peer.end()
        trickle.cancel()

    assert ended == b""
    assert it.echo.came == []


async def trickling(peer):
    """A client that sends a byte now and then."""
    with suppress(ConnectionError):
        while True:
            await peer.send(b"a")
            await asyncio.sleep(0.01)


async def test_a_request_under_way_may_take_longer_and_after_its_answer_the_time_begins_anew():
    async with listening(SystemClock(), time="100ms") as it, it.connection() as peer:
        it.echo.open.clear()
        asyncio.get_running_loop().call_later(0.25, it.echo.open.set)
        answers = [await peer.ask(body=b"x"), await peer.ask(body=b"y")]
        await peer.send(b"POST /v1/echo HTTP/1.1\r\n")
        left = await peer.end()

    assert [answer.text for answer in answers] == ["x", "y"]
    assert left == b""


async def test_who_does_not_read_an_answer_is_dropped_in_time():
    done = asyncio.Event()

    async def endless(call):
        response = web.StreamResponse()
        await response.prepare(call.request)
        try:
            while True:
                await response.write(b"x" * 65536)
        finally:
            done.set()

    stream = Endpoint("stream", "/stream", endless, methods=("GET",))
    async with listening(SystemClock(), more=[stream], time="100ms") as it, it.connection() as peer:
        await peer.send(request("GET", "/stream"))
        async with asyncio.timeout(10):
            await done.wait()

        assert (await it.ask(body=b"x")).status == 200


async def test_who_reads_on_in_an_answer_gets_all_of_it():
    async def long(call):
        response = web.StreamResponse()
        await response.prepare(call.request)
        for _ in range(200):
            await response.write(b"x" * 65536)
        return response

    stream = Endpoint("stream", "/stream", long, methods=("GET",))
    async with listening(SystemClock(), more=[stream], time="5s") as it, it.connection() as peer:
        await peer.send(request("GET", "/stream", Connection="close"))

        assert (await peer.end()).count(b"x") == 200 * 65536


async def test_connections_of_one_address_are_a_quarter_and_room_is_made_again(clock):
    async with listening(clock, connections=8) as it:
        async with it.connection() as one, it.connection() as two:
            assert (await one.ask(body=b"1")).status == (await two.ask(body=b"2")).status == 200
            async with it.connection() as three:
                refused = await three.answer()
                left = await three.end()
        again = await served(it)
        rejected = await it.rejected("busy", "none")

    assert (refused.status, refused.text, left) == (503, "too many connections are open\n", b"")
    assert refused.headers["connection"] == "close"
    assert again.status == 200
    assert rejected >= 1


async def served(it):
    """The answer once the other connections are known to be gone."""
    async with asyncio.timeout(5):
        while (answer := await it.ask(body=b"x")).status != 200:
            pass
    return answer


async def test_behind_a_proxy_all_connections_are_its_own(clock):
    async with (
        listening(clock, connections=3, proxies=1) as it,
        it.connection() as one,
        it.connection() as two,
        it.connection() as three,
    ):
        answers = [await peer.ask(body=b"x") for peer in (one, two, three)]
        async with it.connection() as four:
            refused = await four.answer()

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert refused.status == 503


@pytest.mark.parametrize(
    ("soft", "hard", "asked", "connections"),
    [
        (1024, 524288, 4096, 2048),
        (1024, 1024, 1024, 512),
        (1024, 3000, 3000, 1500),
        (20000, 20000, 20000, 2048),
        (1024, resource.RLIM_INFINITY, 4096, 2048),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, resource.RLIM_INFINITY, 2048),
    ],
)
def test_half_of_what_the_system_lets_the_process_open_is_left_to_the_exporter(soft, hard, asked, connections):
    assert affordable(2048, soft, hard) == (asked, connections)


MALFORMED = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"POST /v1/echo HTTP/9.9\r\n\r\n",
    b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
    b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nX\x00Y: 1\r\n\r\n",
]


@pytest.mark.parametrize("sent", MALFORMED)
async def test_what_is_no_http_gets_400_and_one_line_and_leaves_no_trace_in_the_log(clock, sent, capsys, caplog):
    caplog.set_level(logging.DEBUG)

    async with listening(clock) as it:
        async with it.connection() as peer:
            await peer.send(sent)
            answer = await peer.answer()
            left = await peer.end()
        rejected = await it.rejected("http", "none")

    assert (answer.status, answer.text) == (400, "this is no well-formed HTTP\n")
    assert (left, rejected) == (b"", 1)
    assert it.echo.came == []
    assert capsys.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
    ],
)
async def test_lines_that_are_too_long_are_refused(clock, head):
    async with listening(clock) as it, it.connection() as peer:
        await peer.send(head)
        answer = await peer.answer()

    assert (answer.status, answer.text) == (431, "a line of the headers is longer than 8190 bytes\n")


async def test_so_many_headers_may_be_sent_and_no_more(clock):
    async with listening(clock) as it, it.connection() as peer:
        fits = await peer.ask(body=b"x", **{f"X_{number}": "x" * 100 for number in range(50)})
        await peer.send(request("POST", "/v1/echo", b"x", **{f"X_{number}": "x" for number in range(80)}))
        answer = await peer.answer()

    assert (fits.status, answer.status) == (200, 400)


async def test_headers_that_never_end_are_cut_off(clock):
    async with listening(clock) as it, it.connection() as peer:
        await peer.send(b"POST /v1/echo HTTP/1.1\r\n")
        await peer.send(b"".join(b"X-%d: %s\r\n" % (number, b"a" * 8000) for number in range(200)))
        answer = await peer.answer()

    assert answer.status == 400


async def test_requests_in_one_go_are_answered_in_order(clock):
    async with listening(clock) as it, it.connection() as peer:
        await peer.send(b"".join(request("POST", "/v1/echo", b"%d" % number) for number in range(100)))
        texts = [(await peer.answer()).text for _ in range(100)]

    assert texts == [str(number) for number in range(100)]


async def test_a_client_that_is_gone_before_its_body_is_counted_and_not_logged(clock, capsys):
    async with listening(clock) as it:
        async with it.connection() as peer:
            await peer.send(request("POST", "/v1/echo", Content_Length="100"))
            assert (await it.ask(body=b"x")).status == 200
        async with asyncio.timeout(5):
            while not await it.rejected("body"):
                await asyncio.sleep(0.01)

    assert it.echo.came == [b"x"]
    assert capsys.readouterr() == ("", "")


async def test_an_offer_to_speak_something_else_is_declined(clock):
    async with listening(clock) as it, it.connection() as peer:
        answer = await peer.ask(body=b"x", Connection="Upgrade", Upgrade="websocket")
        await peer.send(b"x" * 200_000)

    assert answer.status == 200


async def test_bodies_that_wait_in_a_row_for_one_that_is_answered_slowly_are_not_read_ahead(clock):
    many = request("POST", "/v1/echo", bytes(500_000)) * 31
    async with listening(clock) as it, it.connection() as peer:
        it.echo.open.clear()
        await peer.send(request("POST", "/v1/echo", b"slow"))
        await it.echo.inside.acquire()
        # What the system's own buffers take is a part of it.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await peer.send(many)
        it.echo.open.set()
        answer = await peer.answer()

    assert (answer.status, answer.text) == (200, "slow")
