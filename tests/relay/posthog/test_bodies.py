"""Events are found in whatever SDKs wrap them in, and in nothing else."""

import gzip
import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.limits import Rejected
from exporter.limits.inflate import inflated
from exporter.relay.posthog.bodies import MOST_EVENTS, read, unwrapped

pytestmark = pytest.mark.fast
LIMIT = 64 * 1024

texts = st.text(max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
events = st.fixed_dictionaries(
    {"event": texts, "properties": st.dictionaries(texts, json_values, max_size=4)},
    optional={"uuid": texts, "api_key": texts, "distinct_id": texts, "timestamp": texts},
)
bodies = st.one_of(
    events,
    st.lists(events, max_size=5),
    st.fixed_dictionaries({"batch": st.lists(events, max_size=5)}, optional={"api_key": texts, "sent_at": texts}),
)
wrappings = st.lists(st.sampled_from(["gzip", "base64"]), max_size=2).flatmap(
    lambda inner: st.sampled_from([inner, [*inner, "form"]])
)


def wrap(body: bytes, how: list[str]) -> bytes:
    for step in how:
        if step == "gzip":
            body = gzip.compress(body)
        elif step == "base64":
            body = b64encode(body)
        else:
            body = urlencode({"ver": "1", "data": body}).encode()
    return body


def unwrap(body: bytes, hint: str = "", *, form: bool = False) -> bytes:
    return unwrapped(body, hint, lambda it: inflated(it, "", LIMIT), form=form)


def named(data: Any) -> list[Any]:
    found = data if isinstance(data, list) else data.get("batch", [data])
    return [(event["event"], event.get("uuid")) for event in found]


@given(bodies, wrappings)
def test_whatever_is_wrapped_comes_out_as_it_went_in(data, how):
    body = json.dumps(data).encode()

    text = unwrap(wrap(body, how), form="form" in how)
    posted = read(text)

    assert text == body
    assert [(event.get("event"), event.get("uuid")) for event in posted.events] == named(data)


def outcome(body: bytes, hint: str = "", *, form: bool = False) -> object:
    """The events' names, or how it was refused."""
    try:
        return [event.get("event") for event in read(unwrap(body, hint, form=form)).events]
    except Rejected as rejected:
        return rejected.status, rejected.reason, rejected.message.count("\n")


REFUSALS = ((400, "body", 0), (413, "size", 0), (415, "body", 0))


@given(st.binary(max_size=300), st.sampled_from(["", "gzip-js", "lz64", "base64"]), st.booleans())
def test_any_bytes_are_read_or_refused_in_one_line(body, hint, form):
    came = outcome(body, hint, form=form)

    assert isinstance(came, list) or came in REFUSALS


@given(json_values)
def test_any_json_is_read_or_refused_in_one_line(data):
    came = outcome(json.dumps(data).encode())

    assert isinstance(came, list) or came in REFUSALS


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ({"api_key": "a", "event": "e"}, {"a"}),
        (
            {"token": "a", "batch": [{"event": "e", "properties": {"token": "b"}}, {"event": "e", "$token": "c"}]},
            set("abc"),
        ),
        ([{"event": "e", "api_key": "a"}, {"event": "e", "properties": None, "token": 7}], {"a"}),
        ({"event": "e", "properties": {"token": "a", "$browser": "Chrome"}}, {"a"}),
        ({"event": "e"}, set()),
    ],
)
def test_every_key_is_seen_wherever_it_stands(data, keys):
    assert read(json.dumps(data).encode()).keys == keys


def test_a_key_is_seen_where_no_event_is_expected():
    assert read(b'{"token": "a", "distinct_id": "u"}', batches=False).keys == {"a"}
    assert read(b"[1]", batches=False).keys == set()


def test_a_text_that_was_cut_in_the_middle_of_a_character_is_read():
    posted = read(b'{"event": "e", "properties": {"text": "\\ud83d"}, "batch": [{"event": "cut \\ud83d"}]}')

    assert [event["event"] for event in posted.events] == ["cut \ud83d"]


def test_a_form_may_name_its_compression_and_spaces_are_plus_signs_again():
    body = b'{"event": "\xc3\xbe\xc3\xbf\xc3\xbe?>"}'
    wrapped = b64encode(body)
    assert b"+" in wrapped or b"/" in wrapped

    assert unwrap(b"compression=base64&data=" + wrapped, form=True) == body
    assert unwrap(b"data=" + quote(wrapped, safe="").encode()) == body


@pytest.mark.parametrize(
    ("body", "hint", "form", "status", "told"),
    [
        (b"", "", False, 400, "expected JSON, in gzip or base64 or a form's `data` where it is wrapped"),
        (b"?", "", False, 400, "the body is neither JSON nor gzip, base64 or a form with `data`"),
        (b"data=%7B&" * 30, "", True, 400, "the form cannot be read"),
        (b"x=1", "", True, 400, "expected JSON, in gzip"),
        (b"NobwRAlgJmBcYQG4FMAEBnADgCgA", "lz64", False, 415, "lz64 is not read here"),
        (b"data=NobwRA&compression=lz64", "", True, 415, "lz64 is not read here"),
        (gzip.compress(bytes(10_000_000), mtime=0), "gzip-js", False, 413, "the inflated body is longer than"),
        (wrap(b"{}", ["gzip"] * 9), "", False, 400, "expected JSON"),
        (b"\x1f\x8bnothing", "", False, 400, "the body's compression is broken"),
    ],
)
def test_what_cannot_be_read_is_refused(body, hint, form, status, told):
    with pytest.raises(Rejected) as caught:
        unwrap(body, hint, form=form)

    assert caught.value.status == status
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        (b"{", 400, "the body is not JSON"),
        (b"[" * 100_000, 400, "the body is not JSON"),
        (b'{"event": ' + b"9" * 5000 + b"}", 400, "the body is not JSON"),
        (b'{"distinct_id": "u"}', 400, "expected an event, a list of them, or an object with the list `batch`"),
        (b'{"batch": {}}', 400, "expected an event"),
        (b"[1]", 400, "expected an event"),
        (json.dumps([{"event": "e"}] * (MOST_EVENTS + 1)).encode(), 413, "the body has more than 1000 events"),
        (b'[{"event": "' + b"e" * 1_100_000, 413, "the JSON is broken, has more than 1000 events, or is too long"),
    ],
)
def test_json_without_events_is_refused(text, status, told):
    with pytest.raises(Rejected) as caught:
        read(text)

    assert caught.value.status == status
    assert told in caught.value.message
