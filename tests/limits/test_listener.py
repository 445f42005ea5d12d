"""The listener: what is there, what is not, and how it begins and ends."""

import asyncio

import pytest
from aiohttp import web

from exporter.clock import SystemClock
from exporter.errors import ExporterError
from exporter.limits import Endpoint, LimitsOptions, Listener, Rejected
from exporter.metrics.store import Store
from tests.support.listening import listening, request, started

pytestmark = pytest.mark.fast


async def refusing(call):
    raise Rejected(503, "storage", "nowhere to put it", 7)


async def failing(call):
    raise ValueError(f"cannot read {call.body!r}")


async def breaking_off(call):
    response = web.StreamResponse()
    await response.prepare(call.request)
    await response.write(b"half")
    raise ValueError("the other half")


async def own_headers(call):
    return web.Response(text="x", headers={"Cache-Control": "max-age=60"})


async def test_browsers_neither_keep_an_answer_nor_guess_what_it_is(clock):
    async with listening(clock, more=[Endpoint("own", "/own", own_headers, methods=("GET",))]) as it:
        answer, own = await it.ask(body=b"x"), await it.ask("GET", "/own")

    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert own.headers["cache-control"] == "max-age=60"


async def test_what_an_endpoint_refuses_is_told_and_counted(clock):
    async with listening(clock, more=[Endpoint("it", "/it", refusing)]) as it:
        answer = await it.ask("POST", "/it")
        rejected = await it.rejected("storage", "it")

    assert (answer.status, answer.text, answer.headers["retry-after"]) == (503, "nowhere to put it\n", "7")
    assert rejected == 1


async def test_an_endpoint_that_fails_says_nothing_and_no_log_quotes_the_body(clock, capsys):
    async with listening(clock, more=[Endpoint("it", "/it", failing)]) as it:
        answer = await it.ask("POST", "/it?key=hunter2", body=b"hunter2")
        rejected = await it.rejected("internal", "it")

    log = capsys.readouterr().out
    assert (answer.status, answer.text, rejected) == (500, "Internal Server Error\n", 1)
    assert "hunter2" not in log
    for fact in ("ingest.failed", "endpoint=it", "error=ValueError", "where=test_listener.py:"):
        assert fact in log


async def test_an_answer_that_breaks_off_ends_the_connection(clock, capsys):
    async with listening(clock, more=[Endpoint("it", "/it", breaking_off)]) as it, it.connection() as peer:
        await peer.send(request("POST", "/it"))
        came = await peer.end()

    assert came.count(b"HTTP/1.1") <= 1
    assert b"500" not in came
    assert "Traceback" not in capsys.readouterr().out


async def test_an_answer_that_cannot_be_sent_ends_the_connection_and_no_log_quotes_it(clock, capsys):
    async def split(call):
        return web.Response(headers={"X-Said": "hunter2\r\nSet-Cookie: a=b"})

    async with listening(clock, more=[Endpoint("it", "/it", split)]) as it:
        async with it.connection() as peer:
            await peer.send(request("POST", "/it"))
            came = await peer.end()
        rejected = await it.rejected("internal", "none")

    log = capsys.readouterr().out
    assert (came, rejected) == (b"", 1)
    assert "ingest.failed" in log
    assert "ValueError" in log
    assert "hunter2" not in log


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 404),
        ("GET", "/metrics", 404),
        ("POST", "/-/reload", 404),
        ("POST", "/v1/alerts", 404),
        ("GET", "/health", 404),
        ("POST", "/v1/echo/", 404),
        ("POST", "/v1/%2e%2e/v1/nothing", 404),
        ("GET", "/v1/echo", 405),
        ("HEAD", "/v1/echo", 405),
        ("OPTIONS", "/v1/echo", 405),
        ("PUT", "/v1/echo", 405),
        ("TRACE", "/v1/echo", 405),
    ],
)
async def test_what_is_not_there_is_told_in_one_line_and_counted(clock, method, path, status):
    async with listening(clock) as it:
        answer = await it.ask(method, path)
        rejected = await it.rejected("path", "none")

    lines = {404: "Not Found\n", 405: "Method Not Allowed\n"}
    assert (answer.status, answer.text) == (status, "" if method == "HEAD" else lines[status])
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)
    assert rejected == 1


@pytest.mark.parametrize(("method", "path"), [("OPTIONS", "*"), ("CONNECT", "evil.example.com:443"), ("GET", "/a%0ab")])
async def test_what_is_no_path_at_all_is_not_there_either(clock, method, path, capsys):
    async with listening(clock) as it:
        answer = await it.ask(method, path)

    assert answer.status in (400, 404)
    assert answer.text.count("\n") <= 1
    assert "evil" not in answer.text
    assert capsys.readouterr() == ("", "")


async def test_who_looks_for_what_is_not_there_is_paced(clock):
    async with listening(clock, rate=1, burst=1) as it:
        answers = [await it.ask("GET", "/wp-login.php") for _ in range(2)]
        rejected = await it.rejected("rate", "none")

    assert [answer.status for answer in answers] == [404, 429]
    assert rejected == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_of_a_get_no_body_is_read(clock, method):
    async with listening(clock, methods=("GET", "HEAD")) as it:
        answer = await it.ask(method, body=b"x" * 100)

    assert (answer.status, it.echo.came) == (200, [b""])


async def test_every_encoding_that_is_named_counts(clock):
    async with listening(clock) as it, it.connection() as peer:
        await peer.send(request("POST", "/v1/echo", b"x", Content_Encoding="identity\r\nContent-Encoding: gzip"))
        answer = await peer.answer()

    assert answer.status == 415


async def test_every_reason_is_there_before_it_is_needed(clock):
    async with listening(clock) as it:
        zeros = [await it.rejected(reason) for reason in ("auth", "origin", "rate", "busy", "size", "slow", "body")]
        nowhere = [await it.rejected(reason, "none") for reason in ("path", "http", "busy", "rate")]

    assert zeros == [0] * 7
    assert nowhere == [0] * 4


async def test_two_endpoints_cannot_have_one_path(clock):
    endpoints = [Endpoint("one", "/x", refusing), Endpoint("other", "/y", refusing), Endpoint("two", "/x", failing)]

    with pytest.raises(ExporterError, match=r"^ingest: one and two are both at /x$"):
        Listener(endpoints, LimitsOptions(), Store(1), clock)


async def test_an_address_that_is_taken_is_told(clock):
    async with listening(clock) as it:
        other = Listener([], LimitsOptions(), Store(1), clock)
        with pytest.raises(ExporterError) as error:
            await started(other, port=it.port)
        await other.close()

    assert str(error.value) == f"ingest.listen: 127.0.0.1:{it.port} cannot be had: Address already in use"


async def test_an_ipv6_address_has_a_url(clock):
    listener = Listener([], LimitsOptions(), Store(1), clock)
    url = await started(listener, "::1")
    await listener.close()

    assert url.startswith("http://[::1]:")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_request_under_way_when_the_listener_closes_gets_its_answer_though_its_body_is_still_coming(chunked):
    async with listening(SystemClock()) as it:
        it.echo.open.clear()
        async with it.connection() as inside, it.connection() as coming, it.connection() as idle:
            await inside.send(request("POST", "/v1/echo", b"inside"))
            await it.echo.inside.acquire()
            first, last = (b"3\r\ncom\r\n", b"3\r\ning\r\n0\r\n\r\n") if chunked else (b"com", b"ing")
            length = {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": "6"}
            await coming.send(request("POST", "/v1/echo", **length) + first)
            assert (await idle.ask("GET", "/")).status == 404
            closing = asyncio.create_task(it.listener.close())
            await asyncio.sleep(0)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", it.port)
            await coming.send(last)
            it.echo.open.set()
            answers = [await peer.answer() for peer in (inside, coming)]
            left = [await peer.end() for peer in (inside, coming, idle)]
            await closing

    assert [(answer.status, answer.text) for answer in answers] == [(200, "inside"), (200, "coming")]
    assert [answer.headers["connection"] for answer in answers] == ["close", "close"]
    assert left == [b"", b"", b""]


async def test_a_request_that_does_not_end_does_not_keep_the_listener_from_closing():
    async with listening(SystemClock()) as it:
        it.echo.open.clear()
        async with it.connection() as peer:
            await peer.send(request("POST", "/v1/echo", b"x"))
            await it.echo.inside.acquire()
            async with asyncio.timeout(4):
                await it.listener.close()

            assert await peer.end() == b""


async def test_a_body_that_waits_for_a_word_gets_it_and_whatever_else_is_expected_is_a_request_like_any_other(clock):
    async with listening(clock, rate=1, burst=2) as it, it.connection() as peer:
        whole = request("POST", "/v1/echo", b"body", Expect="100-continue")
        await peer.send(whole[:-4])
        word = await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(whole[-4:])
        answers = [await peer.answer()]
        answers += [await peer.ask(body=b"x", Expect="hello") for _ in range(2)]
        elsewhere = await peer.ask("POST", "/elsewhere", Expect="hello")

    assert word == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert [(answer.status, answer.text) for answer in answers[:2]] == [(200, "body"), (200, "x")]
    assert [answer.status for answer in (answers[2], elsewhere)] == [429, 429]
    assert answers[2].headers["x-content-type-options"] == "nosniff"
