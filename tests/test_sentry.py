"""Sentry's DSN and envelope: as Sentry's own SDK reads and writes them."""

import asyncio
from contextlib import nullcontext

import aiohttp
import pytest
import sentry_sdk
from aiohttp import web
from sentry_sdk.utils import Dsn as SdkDsn

from exporter.clock import SystemClock
from exporter.errors import Failed
from exporter.sentry import Dsn, Throttled, envelope, send
from exporter.tools import Tools, tls_context
from tests.support.sentry import Envelope, sentry
from tests.support.servers import answer, closed_port, raw_server

pytestmark = pytest.mark.fast

EVENT = {"event_id": "0123456789abcdef0123456789abcdef", "message": "héllo", "level": "error"}
GOOD = [
    "https://key@sentry.example.com/1",
    "http://key@127.0.0.1:9000/42",
    "https://key:secret@sentry.example.com:8443/some/where/7",
    "https://key@[::1]:9000/3",
    "https://key@o12.ingest.us.sentry.example.com/4501",
]


async def post(dsn: str, event: dict[str, str] = EVENT) -> None:
    async with Tools(SystemClock(), str).session(lambda _: nullcontext(), tls_context()) as session:
        await send(session, Dsn.parse(dsn), event, 1_800_000_000.25)


async def refusal(dsn: str) -> Failed:
    with pytest.raises(Failed) as caught:
        await post(dsn)
    return caught.value


@pytest.mark.parametrize("text", GOOD)
def test_a_dsn_leads_where_the_sdk_would_send(text):
    dsn = Dsn.parse(text)

    auth = SdkDsn(text).to_auth()
    assert dsn.url == auth.get_api_url().replace("https://::1", "https://[::1]")
    assert dsn.key == auth.public_key


@pytest.mark.parametrize(
    "text",
    [
        "", "key@host/1", "ftp://key@host/1", "https://host/1", "https://@host/1", "https://key@/1", "https://key@host",
        "https://key@host/", "https://key@host/project", "https://key@host/1?a=b", "https://key@host/1#a",
        "https://key@host:99999/1", "https://key@host:0/1", "https://key@host:port/1", "https://key@[::1/1",
        "https://key@:80/1", "https://k\ney@host/1", "https://key@host/1\nX: y",
    ],
)  # fmt: skip
def test_what_is_no_dsn_is_told_without_repeating_it(text):
    with pytest.raises(ValueError, match=r"^expected a DSN such as https://key@sentry\.example\.com/1$"):
        Dsn.parse(text)


def test_a_dsn_does_not_print_its_key():
    assert "hunter2" not in repr(Dsn.parse("https://hunter2@sentry.example.com/1"))


def test_an_envelope_is_lines_of_json_with_the_length_in_bytes():
    read = Envelope.read("", {}, envelope(EVENT, 1_800_000_000.25))

    assert read.header == {"event_id": EVENT["event_id"], "sent_at": "2027-01-15T08:00:00.250000Z"}
    ((head, event),) = read.items
    assert (head["type"], head["content_type"]) == ("event", "application/json")
    assert event == EVENT


async def test_an_event_arrives_as_one_from_the_sdk_does():
    async with sentry() as it:
        client = sentry_sdk.Client(dsn=it.dsn, default_integrations=False, auto_enabling_integrations=False)
        client.capture_event({"message": "hello", "level": "error"}, scope=sentry_sdk.Scope())
        await asyncio.to_thread(client.close, 5)
        await post(it.dsn, EVENT)

        theirs, ours = it.envelopes

    assert ours.path == theirs.path == "/api/42/envelope/"
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"] == "application/x-sentry-envelope"
    for sent in (theirs, ours):
        facts = dict(part.split("=") for part in sent.headers["X-Sentry-Auth"].removeprefix("Sentry ").split(", "))
        assert facts.keys() == {"sentry_key", "sentry_version", "sentry_client"}
        assert (facts["sentry_key"], facts["sentry_version"]) == ("public-key", "7")
        ((head, event),) = sent.items
        assert (head["type"], head["content_type"]) == ("event", "application/json")
        assert event["event_id"] == sent.header["event_id"]
        assert sent.header["sent_at"].endswith("Z")
    assert {"event_id", "message", "level"} <= theirs.items[0][1].keys() & ours.items[0][1].keys()
    assert ours.items[0][1] == EVENT


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "status"), (401, "auth"), (403, "auth"), (413, "status"), (500, "status")]
)
async def test_a_refusal_has_its_reason(status, reason):
    async with sentry() as it:
        it.refuse(status)

        failure = await refusal(it.dsn)

    assert (failure.reason, failure.detail) == (reason, f"Sentry's status is {status}")


@pytest.mark.parametrize(("header", "pause"), [("17", 17), ("3600", 60), ("", 0), ("soon", 0), ("-1", 0)])
async def test_a_sentry_that_has_enough_says_for_how_long(header, pause):
    async with sentry() as it:
        it.refuse(429, Retry_After=header)

        failure = await refusal(it.dsn)

    assert isinstance(failure, Throttled)
    assert (failure.reason, failure.pause) == ("quota", pause)


async def test_a_redirect_is_not_followed():
    async def elsewhere(request):
        raise web.HTTPFound(f"http://127.0.0.1:{request.url.port}/elsewhere")

    async with sentry() as it:
        it.answer = elsewhere

        failure = await refusal(it.dsn)

    assert failure.detail == "Sentry's status is 302"
    assert len(it.envelopes) == 1


async def test_what_is_not_there_or_talks_nonsense_has_its_reason():
    port = closed_port()

    absent = await refusal(f"http://key@127.0.0.1:{port}/1")
    async with raw_server(answer(b"hello\r\n\r\n")) as nonsense:
        strange = await refusal(f"http://key@127.0.0.1:{nonsense}/1")

    assert (absent.reason, absent.detail) == ("connect", f"127.0.0.1:{port}: Connection refused")
    assert strange.reason == "status"


async def test_the_session_is_left_open_for_the_next_event():
    async with sentry() as it, aiohttp.ClientSession() as session:
        for _ in range(2):
            await send(session, Dsn.parse(it.dsn), EVENT, 0)

    assert len(it.events) == 2
