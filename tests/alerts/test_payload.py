"""What Alertmanager posts, and what it does not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.alerts.payload import Notification, parse

pytestmark = pytest.mark.fast

ALERT = {"status": "firing", "labels": {}, "startsAt": "2026-11-24T10:00:00Z", "fingerprint": "1"}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["version", "alerts", "labels", "status"]), inner),
)


def problem(body: bytes) -> str:
    with pytest.raises(ValueError, match=r"^body: ") as caught:
        parse(body)
    return str(caught.value)


def wrong(**keys: Any) -> str:
    return problem(json.dumps({"version": "4", "alerts": [ALERT | keys]}).encode())


def test_unknown_keys_are_nobodys_business():
    body = {"version": "4", "new": 1, "alerts": [ALERT | {"newer": {"a": []}}]}

    assert parse(json.dumps(body).encode()).alerts[0].starts_at == "2026-11-24T10:00:00Z"


def test_an_alert_needs_no_name():
    assert parse(json.dumps({"version": "4", "alerts": [ALERT]}).encode()).alerts[0].name == "an alert without a name"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body: not JSON: EOF while parsing a value at line 1 column 0"),
        (b'{"a": 1,}', "body: not JSON: trailing comma at line 1 column 9"),
        (b'{"a": "\xff"}', "body: not JSON: invalid unicode code point at line 1 column 8"),
        (b"[" * 500_000, "body: not JSON: recursion limit exceeded"),
        (b'{"a": "\\ud800"}', "body: not JSON: unexpected end of hex escape at line 1 column 14"),
        (b"[]", "body: expected a mapping of keys to values, got a list"),
        (b"{}", "body: missing key 'version'"),
        (b'{"version": "3", "alerts": []}', "body: version: expected '4', got '3'"),
        (b'{"version": "4", "alerts": {}}', "body: alerts: expected a list, got a mapping"),
        (b'{"version": "4", "alerts": [1]}', "body: alerts[0]: expected a mapping of keys to values, got 1"),
    ],
)
def test_what_is_no_notification_is_told_in_a_line_that_says_where(body, message):
    assert problem(body).startswith(message)


def test_what_is_no_alert_is_told_in_a_line_that_says_where():
    assert wrong(status="pending") == "body: alerts[0].status: expected 'firing' or 'resolved', got 'pending'"
    assert wrong(labels={"a": 1}) == "body: alerts[0].labels.a: expected text, got 1"
    assert wrong(annotations=[]) == "body: alerts[0].annotations: expected a mapping of keys to values, got a list"
    assert wrong(startsAt=None) == "body: alerts[0].startsAt: expected text, got None"


def test_the_line_stays_short():
    assert len(wrong(status="x\n" * 10_000)) == 300


@given(st.binary() | JSON.map(lambda data: json.dumps(data).encode()))
def test_whatever_comes_is_a_notification_or_one_line_about_it(body):
    try:
        found: object = parse(body)
    except ValueError as error:
        found = str(error)

    assert isinstance(found, Notification) or (str(found).startswith("body: ") and "\n" not in str(found))
