"""An alert as a message in Sentry, and the handing over of it."""

import asyncio
import re

import pytest
from aiohttp import web

from exporter.alerts.payload import Alert
from exporter.alerts.sentry import AT_ONCE, DEADLINE, Outbox, message
from exporter.clock import SystemClock
from exporter.sentry import Dsn
from exporter.tools import Tools
from tests.support.sentry import taken

pytestmark = pytest.mark.fast

NOW = 1_800_000_000.0
SECRET = "planted-secret"


def event_of(made, redact=str):
    return message(Alert.model_validate(made), "http://alertmanager:9093", "production", NOW, redact)


def test_it_has_all_that_the_alert_says(alert):
    notes = {
        "summary": "The database is down.", "description": "No answer for 30 s.", "value": "down",
        "runbook_url": "http://exporter/runbooks/X", "dashboard_url": "http://grafana/d/x", "other": "not used",
    }  # fmt: skip

    event = event_of(alert({"environment": "staging", "instance": "exporter:9877"}, annotations=notes))

    assert event["message"] == "The database is down."
    assert (event["level"], event["logger"], event["environment"]) == ("error", "alertmanager", "staging")
    assert event["timestamp"] == NOW
    assert event["tags"] == {
        "alertname": "CriticalProbeDown", "severity": "critical", "probe": "db", "instance": "exporter:9877"
    }  # fmt: skip
    assert event["contexts"] == {
        "alert": {
            "description": "No answer for 30 s.", "value": "down", "runbook": "http://exporter/runbooks/X",
            "dashboard": "http://grafana/d/x", "graph": "http://prometheus:9090/graph?g0.expr=x",
            "alertmanager": "http://alertmanager:9093", "starts_at": "2026-11-24T10:00:00Z",
        }
    }  # fmt: skip


def test_what_it_groups_by_is_the_name_and_the_labels_that_say_what_it_is_about(alert):
    labels = {"environment": "staging", "instance": "10.0.0.7:9877"}

    assert event_of(alert(labels))["fingerprint"] == [
        "chatterfy-alert", "CriticalProbeDown", "environment=staging", "probe=db"
    ]  # fmt: skip


def test_its_id_is_that_of_the_alert_since_it_fires(alert):
    first, again = event_of(alert()), event_of(alert(annotations={"summary": "Worded differently."}))
    later, other = event_of(alert(startsAt="2026-11-24T11:00:00Z")), event_of(alert({"probe": "api"}))

    assert re.fullmatch(r"[0-9a-f]{32}", first["event_id"])
    assert first["event_id"] == again["event_id"]
    assert len({first["event_id"], later["event_id"], other["event_id"]}) == 3


@pytest.mark.parametrize(
    ("severity", "level"),
    [("critical", "error"), ("warning", "warning"), ("info", "info"), ("none", "info"), ("page", "warning")],
)
def test_its_level_follows_from_the_severity(alert, severity, level):
    assert event_of(alert({"severity": severity}))["level"] == level


def test_an_alert_of_few_words_is_a_message_too(alert):
    bare = alert(labels={}, annotations={}, generatorURL="")
    bare["labels"] = {}

    event = event_of(bare)

    assert event["message"] == "an alert without a name"
    assert (event["level"], event["environment"]) == ("warning", "production")
    assert event["tags"] == {}
    assert event["fingerprint"] == ["chatterfy-alert", "an alert without a name"]


def test_no_label_or_text_is_longer_than_sentry_takes(alert):
    many = {f"label_{number:03}": "x" * 1000 for number in range(100)}
    hostile = {"alertname": "A" * 5000, "b" * 99: "one\ntwo", "ü?": "y", "environment": "a / b\n" + "c" * 99}

    event = event_of(alert(hostile | many, annotations={"summary": "s" * 9999, "description": "d" * 9999}))

    assert len(event["tags"]) == 49  # and the environment
    assert all(re.fullmatch(r"[\w.:-]{1,32}", name, re.ASCII) for name in event["tags"])
    assert all(0 < len(value) <= 200 and "\n" not in value for value in event["tags"].values())
    assert event["environment"] == "a-b-" + "c" * 60
    assert (len(event["message"]), len(event["contexts"]["alert"]["description"])) == (2000, 2000)
    assert max(map(len, event["fingerprint"])) <= 2000


def test_odd_label_names_become_keys_that_sentry_takes(alert):
    assert event_of(alert({"ü?": "y"}))["tags"]["__"] == "y"
    assert event_of(alert({"l": "one\ntwo"}))["tags"]["l"] == "one two"


def test_no_secret_is_sent_not_even_a_piece_that_was_cut(alert):
    padded = "x" * 1990 + SECRET

    made = alert(
        {"alertname": SECRET, "probe": SECRET, "environment": SECRET, "l": "x" * 190 + SECRET},
        annotations={"summary": padded, "description": SECRET, "value": SECRET, "runbook_url": SECRET},
        generatorURL=SECRET,
    )
    text = str(event_of(made, lambda text: text.replace(SECRET, "***")))

    assert SECRET not in text
    assert SECRET[:5] not in text


@pytest.fixture
def outbox(sentry):
    return Outbox(Dsn.parse(sentry.dsn), Tools(SystemClock(), str))


def events(number):
    return [{"event_id": f"{place:032x}"} for place in range(number)]


async def test_a_few_are_under_way_at_once_and_all_arrive(outbox, sentry):
    running, most, full = 0, 0, asyncio.Event()

    async def count(request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == AT_ONCE:
            full.set()
        await full.wait()
        running -= 1
        return await taken(request)

    sentry.answer = count

    outcomes = await outbox.deliver(events(30))

    assert outcomes == [None] * 30
    assert {event["event_id"] for event in sentry.events} == {event["event_id"] for event in events(30)}
    assert most == AT_ONCE


async def test_what_was_handed_over_is_not_sent_again_and_what_failed_is(outbox, sentry):
    async def odd(request):
        number = len(sentry.envelopes)
        return web.Response(status=200 if number % 2 else 500)

    sentry.answer = odd
    first = await outbox.deliver(events(6))
    sentry.answer = taken

    second = await outbox.deliver(events(6))
    third = await outbox.deliver(events(6))

    assert sorted(failure.reason for failure in first if failure) == ["status"] * 3
    assert second == [None] * 3
    assert third == []


async def test_the_oldest_are_forgotten_when_there_are_too_many(sentry):
    outbox = Outbox(Dsn.parse(sentry.dsn), Tools(SystemClock(), str), remembered=2)
    await outbox.deliver(events(3))

    await outbox.deliver(events(3))

    assert len(sentry.events) == 4


async def test_a_sentry_that_hangs_takes_no_longer_than_the_deadline(sentry, clock):
    asked, over = asyncio.Event(), asyncio.Event()

    async def hang(_request):
        asked.set()
        await over.wait()
        return web.Response()

    sentry.answer = hang
    delivery = asyncio.create_task(Outbox(Dsn.parse(sentry.dsn), Tools(clock, str)).deliver(events(10)))
    await asked.wait()

    await clock.advance(DEADLINE)

    outcomes = await delivery
    over.set()
    assert list(map(str, outcomes)) == ["timeout: Sentry has not taken it within 8 s"] * 10


async def test_a_sentry_that_wants_to_be_left_alone_is(sentry, clock):
    outbox = Outbox(Dsn.parse(sentry.dsn), Tools(clock, str))
    sentry.refuse(429, Retry_After="30")
    await outbox.deliver(events(1))
    sentry.answer = taken

    early = await outbox.deliver(events(3))
    await clock.advance(31)
    late = await outbox.deliver(events(3))

    assert list(map(str, early)) == ["quota: Sentry wants no message for another 30 s"] * 3
    assert late == [None] * 3
    assert len(sentry.events) == 4
