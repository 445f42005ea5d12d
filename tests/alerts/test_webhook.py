"""POST /v1/alerts of a running exporter."""

import asyncio
import gzip
import io

import aiohttp
import pytest
import sentry_sdk
from aiohttp import web

from exporter.alerts.webhook import BODY_LIMIT
from tests.alerts.conftest import SECTION, TOKEN
from tests.support.running import running, value
from tests.support.sentry import taken

pytestmark = pytest.mark.fast

HEAD = "listen: 127.0.0.1:0\n"
HEARTBEAT = "chatterfy_alert_pipeline_last_seen_timestamp_seconds"
SENT = "chatterfy_alerts_sentry_total"


async def raw(it, body, **headers):
    headers = {"Authorization": f"Bearer {TOKEN}"} | {name.replace("_", "-"): text for name, text in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(it.url + "/v1/alerts", data=io.BytesIO(body), headers=headers) as response,
    ):
        return response.status, await response.text(), response.headers


def received(page, status, severity):
    return value(page, f'chatterfy_alerts_received_total{{severity="{severity}",status="{status}"}}')


def failures(page, reason):
    return value(page, f'chatterfy_alerts_sentry_failures_total{{reason="{reason}"}}')


async def test_each_firing_alert_becomes_a_message_and_a_resolved_one_is_only_counted(
    taking_alerts, notify, alert, sentry
):
    async with taking_alerts("environment: staging") as it:
        answer = await notify(
            it, alert(), alert({"probe": "api", "severity": "warning"}), alert({"probe": "s3"}, status="resolved")
        )
        page = await it.until(f"{SENT} 2.0")

    assert answer == (200, "taken\n")
    assert {(event["tags"]["probe"], event["level"]) for event in sentry.events} == {
        ("db", "error"),
        ("api", "warning"),
    }
    assert {event["environment"] for event in sentry.events} == {"staging"}
    assert received(page, "firing", "critical") == received(page, "firing", "warning") == 1
    assert received(page, "resolved", "critical") == 1


async def test_every_series_is_there_from_the_start_and_severities_are_a_closed_set(taking_alerts, notify, alert):
    async with taking_alerts() as it:
        before = await it.page()
        await notify(it, alert({"severity": "page"}), alert({"severity": ""}), alert({"severity": "info"}))
        page = await it.until(f"{SENT} 3.0")

    assert received(before, "firing", "critical") == received(before, "resolved", "none") == 0
    assert failures(before, "timeout") == value(before, SENT) == 0
    assert received(page, "firing", "other") == 2
    assert received(page, "firing", "info") == 1
    assert 'severity="page"' not in page


async def test_alertmanagers_repeats_are_no_second_message(taking_alerts, notify, alert, sentry):
    async with taking_alerts() as it:
        await notify(it, alert())

        answer = await notify(it, alert(), alert({"probe": "api"}))

    assert answer == (200, "taken\n")
    assert [event["tags"]["probe"] for event in sentry.events] == ["db", "api"]


async def test_until_sentry_has_all_of_them_the_answer_is_503_with_the_reason_in_log_and_metric(
    taking_alerts, notify, alert, sentry, capsys
):
    async def second(_request):
        return web.Response(status=500 if len(sentry.envelopes) == 2 else 200)

    sentry.answer = second
    async with taking_alerts() as it:
        refused = await notify(it, alert({"probe": "db"}), alert({"probe": "api"}))
        log = capsys.readouterr().err
        sentry.answer = taken
        again = await notify(it, alert({"probe": "db"}), alert({"probe": "api"}))
        page = await it.until(f"{SENT} 2.0")

    assert refused == (503, "1 of 2 messages are not in Sentry yet: status\n")
    assert again == (200, "taken\n")
    assert '"event": "alerts.failed"' in log
    assert '"reason": "status"' in log
    assert "The database is down" not in log
    assert failures(page, "status") == 1
    assert len({event["event_id"] for event in sentry.events}) == 2
    assert len(sentry.events) == 3


async def test_a_throttling_and_an_absent_sentry_are_503_too(taking_alerts, exporter, notify, alert, sentry):
    sentry.refuse(429)
    async with taking_alerts() as it:
        throttled = await notify(it, alert())
    async with exporter(SECTION, TOKEN=TOKEN, DSN="http://key@127.0.0.1:1/1") as it:
        absent = await notify(it, alert())

    assert throttled == (503, "1 of 1 messages are not in Sentry yet: quota\n")
    assert absent == (503, "1 of 1 messages are not in Sentry yet: connect\n")


async def test_the_watchdog_sets_the_heartbeat_and_is_no_message(config, clock, notify, alert, sentry):
    watchdog = {"alertname": "Watchdog", "severity": "none"}
    async with running(config(HEAD + SECTION), {"TOKEN": TOKEN, "DSN": sentry.dsn}, clock) as it:
        started = value(await it.page(), HEARTBEAT)
        clock.wall += 300
        over = await notify(it, alert(watchdog, status="resolved"))
        await it.app.page.refresh()
        unmoved = value(await it.page(), HEARTBEAT)

        answer = await notify(it, alert(watchdog))

        await it.app.page.refresh()
        page = await it.page()

    assert over == answer == (200, "taken\n")
    assert started == unmoved == clock.wall - 300
    assert value(page, HEARTBEAT) == clock.wall
    assert received(page, "firing", "none") == received(page, "resolved", "none") == 1
    assert sentry.events == []


async def test_a_heartbeat_that_stays_away_for_ten_minutes_stands_on_the_status_page(config, clock, notify, alert):
    path = config(f"{HEAD}alerts: {{token: {{env: TOKEN}}}}")
    async with running(path, {"TOKEN": TOKEN}, clock) as it:
        clock.wall += 600
        well = (await it.get("/"))[1]
        clock.wall += 120
        stale = (await it.get("/"))[1]
        await notify(it, alert({"alertname": "Watchdog"}))
        again = (await it.get("/"))[1]

    assert "Needs attention" not in well
    assert "No Watchdog has come from Alertmanager for 12 minutes" in stale
    assert "Needs attention" not in again


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN, "Bearer \udcff",
        "Bearer " + "x" * 5000,
    ],
)  # fmt: skip
async def test_without_the_token_nothing_is_taken(taking_alerts, header, capsys):
    async with taking_alerts() as it:
        status, text, headers = await raw(it, b"{}", Authorization=header)
        page = await it.page()

    assert status == 401
    assert headers["WWW-Authenticate"] == "Bearer"
    assert text == "expected the header `Authorization: Bearer` with the token of the section `alerts`\n"
    assert received(page, "firing", "critical") == 0
    assert TOKEN not in capsys.readouterr().err


async def test_a_scheme_may_be_written_in_any_case(taking_alerts):
    async with taking_alerts() as it:
        assert (await raw(it, b'{"version": "4", "alerts": []}', Authorization=f"bearer  {TOKEN}"))[0] == 200


async def test_what_is_no_notification_is_400_and_its_words_are_not_logged(taking_alerts, capsys):
    async with taking_alerts() as it:
        status, text, _ = await raw(it, b'{"version": "4", "alerts": [{"status": "private"}]}')

    assert status == 400
    assert text == "body: alerts[0].status: expected 'firing' or 'resolved', got 'private'\n"
    log = capsys.readouterr().err
    assert '"event": "alerts.refused"' in log
    assert "private" not in log


async def test_a_body_that_is_not_what_its_headers_say_is_400(taking_alerts):
    async with taking_alerts() as it:
        status, text, _ = await raw(it, b"this is no gzip", Content_Encoding="gzip")

    assert (status, text) == (400, "body: it ends early, or is not as the headers say\n")


@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_that_is_too_long_is_413_inflated_or_not(taking_alerts, packed):
    body = b" " * (BODY_LIMIT + 1)
    async with taking_alerts() as it:
        if packed:
            status, *_ = await raw(it, gzip.compress(body), Content_Encoding="gzip")
        else:
            status, *_ = await raw(it, body)

    assert status == 413


async def test_a_body_of_a_mebibyte_is_taken(taking_alerts):
    body = b'{"version": "4", "alerts": []}'
    async with taking_alerts() as it:
        status, *_ = await raw(it, body.ljust(BODY_LIMIT))

    assert status == 200


async def test_secrets_of_the_configuration_are_not_sent(taking_alerts, notify, alert, sentry):
    async with taking_alerts() as it:
        await notify(it, alert(annotations={"summary": f"cannot log in with {TOKEN}"}))

    assert sentry.events[0]["message"] == "cannot log in with ***"


async def test_without_a_dsn_alerts_are_only_counted(exporter, notify, alert):
    async with exporter("alerts: {token: {env: TOKEN}}", TOKEN=TOKEN) as it:
        answer = await notify(it, alert())
        page = await it.until(lambda page: received(page, "firing", "critical") == 1)

    assert answer == (200, "taken\n")
    assert value(page, SENT) == 0


async def test_without_a_dsn_of_their_own_alerts_go_where_the_exporters_crashes_go(exporter, notify, alert, sentry):
    text = "alerts: {token: {env: TOKEN}}\nsentry: {dsn: {env: DSN}}"
    async with exporter(text, TOKEN=TOKEN, DSN=sentry.dsn) as it:
        await notify(it, alert())
    await asyncio.to_thread(sentry_sdk.get_client().close)

    assert [event["logger"] for event in sentry.events] == ["alertmanager"]


async def test_without_the_section_it_is_404_and_says_what_to_configure(exporter, notify, alert):
    async with exporter("") as it:
        answer = await notify(it, alert())
        page = await it.page()

    assert answer == (404, "alerts are not configured: add the section `alerts` with a `token`\n")
    assert "chatterfy_alert" not in page


async def test_a_reload_takes_effect_at_once(config, notify, alert, sentry):
    path = config(HEAD)
    async with running(path, {"TOKEN": TOKEN, "OTHER": "other-token", "DSN": sentry.dsn}) as it:
        absent = await notify(it, alert())
        config(HEAD + SECTION)
        await it.post("/-/reload")
        there = await notify(it, alert())
        counted = await it.until(f"{SENT} 1.0")
        await it.post("/-/reload")
        repeated = await notify(it, alert())
        config(f"{HEAD}alerts: {{token: {{env: OTHER}}}}")
        await it.post("/-/reload")
        strange = await notify(it, alert())
        kept = await it.page()
        config(HEAD)
        await it.post("/-/reload")
        gone = await notify(it, alert())
        without = await it.until(lambda page: "chatterfy_alert" not in page)

    assert [answer[0] for answer in (absent, there, repeated, strange, gone)] == [404, 200, 200, 401, 404]
    assert len(sentry.events) == 1
    assert value(counted, HEARTBEAT) == value(kept, HEARTBEAT)
    assert value(kept, SENT) == 1
    assert "chatterfy_alert" not in without


async def test_a_notification_under_way_when_the_section_goes_leaves_nothing_on_the_page(config, notify, alert, sentry):
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(_request):
        asked.set()
        await go.wait()
        return web.Response()

    sentry.answer = slow
    path = config(HEAD + SECTION)
    async with running(path, {"TOKEN": TOKEN, "DSN": sentry.dsn}) as it:
        delivery = asyncio.create_task(notify(it, alert()))
        await asked.wait()
        config(HEAD)
        await it.post("/-/reload")
        go.set()
        answer = await delivery
        page = await it.until(lambda page: "chatterfy_alert" not in page)

    assert answer[0] == 200
    assert "chatterfy_alert" not in page
