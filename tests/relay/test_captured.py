"""Requests as real SDKs sent them are counted, and go on to the byte."""

import pytest

from tests.support.relay import KEY, captured
from tests.support.running import value

EVENTS = 'chatterfy_sentry_events_total{{environment="test",level="{}",project="api"}}'


async def test_what_the_sdk_for_node_sends_is_counted_and_goes_on_to_the_byte(sentry, upstream):
    requests = captured("sentry-node-11")

    async with sentry() as it:
        statuses = [await it.replay(sent) for sent in requests]
        page = await it.page()

    assert statuses == [200] * 6
    assert [sent.body for sent in upstream.came] == [sent.body for sent in requests]
    assert value(page, EVENTS.format("error")) == 1  # the exception, which has no level
    assert value(page, EVENTS.format("other")) == 1  # captureMessage with the level `high`
    assert value(page, 'chatterfy_sentry_checkins_total{monitor="aggregate-daily-metrics",status="in_progress"}') == 1
    assert value(page, 'chatterfy_sentry_sessions_total{project="api",status="started"}') == 1
    assert value(page, 'chatterfy_sentry_sessions_total{project="api",status="errored"}') == 1
    transaction = '{project="api",transaction="GET /health"}'
    assert value(page, f"chatterfy_sentry_transaction_duration_seconds_count{transaction}") == 1
    assert 0.002 < value(page, f"chatterfy_sentry_transaction_duration_seconds_sum{transaction}") < 0.004
    assert value(page, f"chatterfy_sentry_transaction_errors_total{transaction}") == 0
    assert value(page, 'chatterfy_sentry_items_total{item="span",project="api"}') == 1
    assert value(page, 'chatterfy_sentry_forwards_total{project="api"}') == 6
    assert value(page, 'chatterfy_sentry_forward_failures_total{project="api",reason="status"}') == 0


async def test_only_what_sentry_needs_of_the_headers_goes_on(sentry, upstream):
    first = captured("sentry-node-11")[0]

    async with sentry() as it:
        await it.post(
            first.path, first.body, Cookie="session=1", Authorization="Bearer x", X_Forwarded_For="192.0.2.1",
            User_Agent="sentry.javascript.node/11.12.0", Origin="https://app.example.com",
        )  # fmt: skip

    ((path, headers),) = [(sent.path, dict(sent.headers)) for sent in upstream.came]
    assert path == "/api/42/envelope/"
    assert headers.pop("Host") == f"127.0.0.1:{upstream.port}"
    assert headers == {
        "User-Agent": "sentry.javascript.node/11.12.0",
        "Accept-Encoding": "identity",
        "Content-Length": str(len(first.body)),
        "X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_version=7, sentry_client=sentry.javascript.node/11.12.0",
    }


async def test_the_compressed_bytes_of_the_sdk_for_python_go_on_as_they_are(sentry, upstream):
    requests = captured("sentry-python-2.75")

    async with sentry(environments=["test", "production"]) as it:
        statuses = [await it.replay(sent) for sent in requests]
        page = await it.page()

    assert statuses == [200] * len(requests)
    assert [sent.body for sent in upstream.came] == [sent.body for sent in requests]
    for sent in upstream.came:
        assert sent.headers["Content-Encoding"] == "gzip"
        assert sent.headers["Content-Type"] == "application/x-sentry-envelope"
        assert "sentry_client=sentry.python/2.75.0" in sent.headers["X-Sentry-Auth"]
    assert value(page, 'chatterfy_sentry_items_total{item="event",project="api"}') == 2
    assert value(page, 'chatterfy_sentry_items_total{item="transaction",project="api"}') == 1
    assert "chatterfy_sentry_transaction_duration_seconds_count{" in page


async def test_what_goes_through_the_tunnel_is_counted_and_goes_on_to_the_byte(sentry, upstream):
    requests = captured("sentry-node-11-tunnel")
    there = f"127.0.0.1:{upstream.port}".encode()  # as if it had been captured with this DSN
    bodies = [sent.body.replace(b"127.0.0.1:18081", there) for sent in requests]

    async with sentry(tunnel="/monitoring-tunnel") as it:
        statuses = [(await it.post("/monitoring-tunnel", body))[0] for body in bodies]
        page = await it.page()

    assert statuses == [200] * 6
    assert [sent.body for sent in upstream.came] == bodies
    assert value(page, EVENTS.format("error")) == 1


@pytest.mark.parametrize("name", ["sentry-node-11", "sentry-python-2.75"])
async def test_without_an_upstream_everything_is_counted(sentry, upstream, name):
    requests = captured(name)

    async with sentry(forward=False) as it:
        statuses = [await it.replay(sent) for sent in requests]
        page = await it.page()

    assert statuses == [200] * len(requests)
    assert upstream.came == []
    assert value(page, 'chatterfy_sentry_items_total{item="event",project="api"}') == 2
    assert "chatterfy_sentry_forwards_total" not in page
