"""What the toy's API reports to Sentry: each error, some transactions, and a summary a minute."""

from random import Random

import pytest

from exporter.demo.notes import Notes
from exporter.demo.posting import Endpoints, Post
from exporter.demo.reports import EVERY, Reports
from exporter.relay.envelope import Envelope
from exporter.relay.sentry.payloads import read_all

pytestmark = pytest.mark.fast

ENDPOINTS = Endpoints("http://127.0.0.1:9878", None, "http://localhost", "http://key@sentry.example.com/7", "staging")
NOW = 1_800_000_000.0


def reports() -> Reports:
    return Reports(ENDPOINTS, Random(1))


def answered(reports: Reports, status: int, number: int) -> list[Post]:
    notes = Notes()
    for _ in range(number):
        notes.request("/v1/orgs/17", "GET", 250.0, status)
    return [post for line in notes.requests for post in reports.answered(line, NOW)]


def read(posts: list[Post]):
    """Kind and payload of every item, as the exporter reads them."""
    return [item for post in posts for item in read_all(Envelope.open(post.body).items())]


def test_an_error_is_an_event_of_its_environment_in_the_project_of_the_dsn():
    posts = answered(reports(), 500, 1)
    kind, event = read(posts)[0]

    assert (kind, event["level"], event["environment"]) == ("event", "error", "staging")
    assert posts[0].path == "/api/7/envelope/"
    assert posts[0].headers["X-Sentry-Auth"].startswith("Sentry sentry_key=key, ")


@pytest.mark.parametrize(("status", "outcome"), [(200, "ok"), (503, "internal_error")])
def test_one_transaction_in_ten_is_sent_with_its_duration(status, outcome):
    found = [payload for kind, payload in read(answered(reports(), status, 500)) if kind == "transaction"]

    assert 30 < len(found) < 70
    assert {payload["transaction"] for payload in found} == {"GET /v1/orgs/17"}
    assert {payload["timestamp"] - payload["start_timestamp"] for payload in found} == {0.25}
    assert {payload["contexts"]["trace"]["status"] for payload in found} == {outcome}


def test_a_minute_is_summed_up_once():
    it = reports()
    sent = len(answered(it, 200, 90)) + sum(kind == "transaction" for kind, _ in read(answered(it, 500, 10)))
    first, again, next_one = it.summary(NOW), it.summary(NOW + EVERY - 1), it.summary(NOW + EVERY)

    found, later = dict(read(first)), dict(read(next_one))
    (sessions,), (lost,) = found["sessions"]["aggregates"], found["client_report"]["discarded_events"]
    assert (sessions["exited"], sessions["errored"]) == (90, 10)
    assert lost["quantity"] == 100 - sent
    assert found["check_in"]["status"] == "ok"
    assert again == []
    assert later["sessions"]["aggregates"][0]["exited"] == 0
