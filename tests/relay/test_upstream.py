"""Sentry's answers come back, and whatever Sentry does, no app waits for it longer than it must."""

import asyncio
import gzip
import json
from typing import Any

import pytest
from aiohttp import web

from tests.support.clock import settle
from tests.support.relay import KEY
from tests.support.running import value
from tests.support.servers import answer, closed_port, hang, raw_server, reset

PATH = f"/api/42/envelope/?sentry_key={KEY}"


def envelope(*kinds: str) -> bytes:
    return b"{}\n" + b"".join(json.dumps({"type": kind}).encode() + b"\n{}\n" for kind in kinds)


EVENT = envelope("event")


def failures(page: str, reason: str) -> Any:
    return value(page, f'chatterfy_sentry_forward_failures_total{{project="api",reason="{reason}"}}')


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(200, None), (400, "status"), (403, "auth"), (413, "status"), (429, "quota"), (500, "status")],
)
async def test_sentrys_status_and_words_come_back(sentry, upstream, status, reason):
    upstream.answers(status, '{"detail":"so it is"}', Content_Type="application/json", Set_Cookie="a=1", Server="x")

    async with sentry() as it:
        came = await it.post(PATH, EVENT)
        page = await it.page()

    assert (came[0], came[2]) == (status, '{"detail":"so it is"}')
    assert came[1]["Content-Type"].startswith("application/json")
    assert "Set-Cookie" not in came[1]
    assert value(page, 'chatterfy_sentry_forwards_total{project="api"}') == 1
    assert reason is None or failures(page, reason) == 1


async def test_what_sentry_says_comes_back_as_text_and_never_as_a_page(sentry, upstream):
    upstream.answers(503, "<script>", Content_Type="text/html")

    async with sentry() as it:
        status, headers, text = await it.post(PATH, EVENT)

    assert (status, text) == (503, "<script>")
    assert headers["Content-Type"].startswith("text/plain")
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_a_redirect_is_not_followed(sentry, upstream):
    upstream.answers(307, Location=f"http://127.0.0.1:{upstream.port}/elsewhere")

    async with sentry() as it:
        status, headers, _ = await it.post(PATH, EVENT)
        page = await it.page()

    assert status == 502
    assert "Location" not in headers
    assert [sent.path for sent in upstream.came] == ["/api/42/envelope/"]
    assert failures(page, "status") == 1


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (reset, "connect"),
        (answer(b""), "connect"),
        (answer(b"what?\r\n\r\n"), "status"),
        (answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), "body"),
        (answer(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999), "body"),
    ],
    ids=["reset", "closes", "not HTTP", "ends early", "long"],
)
async def test_a_sentry_that_misbehaves_is_a_loss_that_is_counted(sentry, capsys, talk, reason):
    async with raw_server(talk) as port, sentry(dsn=f"http://{KEY}@127.0.0.1:{port}/42") as it:
        status, _, text = await it.post(PATH, EVENT)
        page = await it.page()

    assert (status, text) == (502, "Sentry could not be reached\n")
    assert failures(page, reason) == 1
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="sentry",reason="upstream"}') == 1
    assert 'level="error",project="api"} 1' in page  # it came all the same
    assert KEY not in "".join(capsys.readouterr())


async def test_a_sentry_that_is_down_is_told_once_in_the_log_and_so_is_that_it_is_back(sentry, upstream, capsys):
    upstream.answers(500)

    async with sentry() as it:
        for _ in range(3):
            await it.post(PATH, EVENT)
        upstream.answers(200)
        for _ in range(2):
            await it.post(PATH, EVENT)

    log = "".join(capsys.readouterr())
    assert log.count("sentry.forward_failed") == 1
    assert log.count("sentry.forwarded") == 1


async def test_refusals_are_no_news_since_strangers_can_bring_them_about(sentry, upstream, capsys):
    async with sentry() as it:
        for status in (200, 400, 200, 413, 200):
            upstream.answers(status)
            await it.post(PATH, EVENT)
        upstream.answers(200, X_Sentry_Rate_Limits="60:error:key")
        for kind in ("event", "transaction", "event", "transaction"):
            await it.post(PATH, envelope(kind))
        page = await it.page()

    assert "sentry.forward" not in "".join(capsys.readouterr())
    assert (failures(page, "status"), failures(page, "limit")) == (2, 1)


async def test_a_key_that_sentry_does_not_know_is_told(sentry, upstream, capsys):
    upstream.answers(403)
    async with sentry() as it:
        await it.post(PATH, EVENT)

    assert "the status is 403" in "".join(capsys.readouterr())


async def test_where_nothing_listens_the_app_is_told_at_once(sentry):
    async with sentry(dsn=f"http://{KEY}@127.0.0.1:{closed_port()}/42") as it:
        status, _, _ = await it.post(PATH, EVENT)
        page = await it.page()

    assert status == 502
    assert failures(page, "connect") == 1


async def test_connections_are_kept(sentry, upstream):
    async with sentry() as it:
        for _ in range(5):
            await it.post(PATH, EVENT)

    assert len(upstream.came) == 5
    assert len(upstream.connections) == 1


async def test_an_app_waits_for_a_slow_sentry_no_longer_than_the_bound(sentry, upstream, clock):
    released = asyncio.Event()

    async def slowly(_: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    upstream.answer = slowly

    async with sentry(clock=clock, wait="2s") as it:
        waiting = asyncio.create_task(it.post(PATH, EVENT))
        await until(lambda: upstream.came)
        await clock.advance(1.9)
        early = waiting.done()
        await clock.advance(0.2)
        status, _, text = await waiting
        before = value(await it.page(), 'chatterfy_sentry_forwards_total{project="api"}')
        released.set()
        await settle()
        async with asyncio.timeout(10):
            while value(await it.page(), 'chatterfy_sentry_forwards_total{project="api"}') != 1:
                await asyncio.sleep(0.01)
        page = await it.page()

    assert not early
    assert (status, text) == (200, "{}")
    assert before == 0
    assert failures(page, "timeout") == 0


async def test_what_a_hanging_sentry_has_not_taken_in_time_is_lost_and_counted(sentry, clock):
    async with raw_server(hang) as port, sentry(clock=clock, dsn=f"http://{KEY}@127.0.0.1:{port}/42") as it:
        waiting = asyncio.create_task(it.post(PATH, EVENT))
        await until(lambda: it.came)
        await clock.advance(2.1)
        status, _, _ = await waiting
        await clock.advance(8)
        page = await it.page()

    assert status == 200
    assert failures(page, "timeout") == 1


async def test_more_than_may_be_under_way_is_refused_so_that_sdks_send_less(sentry, clock):
    async with (
        raw_server(hang) as port,
        sentry(clock=clock, dsn=f"http://{KEY}@127.0.0.1:{port}/42", under_way=2) as it,
    ):
        waiting = [asyncio.create_task(it.post(PATH, EVENT)) for _ in range(2)]
        await until(lambda: len(it.came) == 2)
        await settle()
        status, headers, _ = await it.post(PATH, EVENT)
        await clock.advance(20)
        await asyncio.gather(*waiting)
        page = await it.page()

    assert (status, headers["Retry-After"]) == (429, "10")
    assert failures(page, "full") == 1
    assert failures(page, "timeout") == 2


async def test_more_bytes_than_may_be_under_way_are_refused(sentry, upstream):
    async with sentry(under_way_size="1KiB") as it:
        small, large = await it.post(PATH, EVENT), await it.post(PATH, EVENT + b'{"type":"x"}\n' + b"x" * 1024)

    assert (small[0], large[0]) == (200, 429)
    assert len(upstream.came) == 1


async def test_what_is_under_way_has_a_moment_when_the_listener_stops(sentry, upstream, clock):
    async with raw_server(hang) as port, sentry(clock=clock, dsn=f"http://{KEY}@127.0.0.1:{port}/42") as it:
        waiting = asyncio.create_task(it.post(PATH, EVENT))
        await until(lambda: it.came)
        await clock.advance(2.1)
        await waiting
        turning = asyncio.create_task(_turn(clock))  # two seconds pass while the listener stops

    turning.cancel()
    page = await it.page()
    assert failures(page, "timeout") == 1


async def _turn(clock) -> None:
    while True:
        await asyncio.sleep(0.01)
        await clock.advance(0.5)


@pytest.mark.parametrize("status", [200, 429])
async def test_what_sentry_wants_no_more_of_is_not_sent_until_it_does(sentry, upstream, clock, status):
    upstream.answers(status, X_Sentry_Rate_Limits="60:error;transaction:key:quota, 2700:session:organization")

    async with sentry(clock=clock) as it:
        first = await it.post(PATH, EVENT)
        upstream.answers(200)
        refused = [
            await it.post(PATH, envelope(*kinds)) for kinds in (["event"], ["transaction", "event"], ["session"])
        ]
        passed = [
            await it.post(PATH, envelope(*kinds)) for kinds in (["event", "span"], ["client_report"], [], ["log"])
        ]
        await clock.advance(61)
        later = [await it.post(PATH, envelope(*kinds)) for kinds in (["event"], ["session"])]
        page = await it.page()

    assert first[0] == status
    assert [it[0] for it in refused] == [429] * 3
    assert [it[1]["Retry-After"] for it in refused] == ["60", "60", "2700"]
    assert refused[0][1]["X-Sentry-Rate-Limits"] == "60:error:key, 60:transaction:key, 2700:session:key"
    assert [it[0] for it in passed] == [200] * 4
    assert [it[0] for it in later] == [200, 429]
    assert len(upstream.came) == 6
    assert failures(page, "limit") == 4


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, 60),
        ({"Retry_After": "5"}, 5),
        ({"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60),
        ({"Retry_After": "999999999"}, 3600),
        ({"X_Sentry_Rate_Limits": "7::organization", "Retry_After": "99"}, 7),
    ],
)
async def test_a_refusal_holds_for_everything_as_long_as_it_says(sentry, upstream, clock, headers, pause):
    upstream.answers(429, **headers)

    async with sentry(clock=clock) as it:
        await it.post(PATH, EVENT)
        upstream.answers(200)
        await clock.advance(pause - 0.5)
        before = await it.post(PATH, EVENT)
        await clock.advance(1)
        after = await it.post(PATH, EVENT)

    assert (before[0], before[1]["Retry-After"], after[0]) == (429, "1", 200)


async def test_limits_that_nobody_understands_limit_nothing(sentry, upstream):
    async with sentry() as it:
        statuses = []
        for limits in ("what?", "60", "-1:error:key", "60:Error:key", "60:made_up:key", ",,,"):
            upstream.answers(200, X_Sentry_Rate_Limits=limits)
            statuses.append((await it.post(PATH, EVENT))[0])

    assert statuses == [200] * 6


@pytest.mark.parametrize("encoding", ["gzip", ""])
async def test_compressed_bytes_go_on_as_they_came_even_where_no_header_says_so(sentry, upstream, encoding):
    body = gzip.compress(EVENT)

    async with sentry() as it:
        status, _, _ = await it.post(PATH, body, **({"Content_Encoding": encoding} if encoding else {}))

    assert status == 200
    assert upstream.came[0].body == body
    assert upstream.came[0].headers.get("Content-Encoding", "") == encoding


async def test_a_bomb_does_not_go_off_and_does_not_go_on(sentry, upstream):
    bomb = gzip.compress(b"{}\n" + b"x" * 100_000_000)

    async with sentry() as it:
        status, _, text = await it.post(PATH, bomb, Content_Encoding="gzip")

    assert (status, text) == (413, "the inflated body is longer than 4194304 bytes\n")
    assert upstream.came == []
