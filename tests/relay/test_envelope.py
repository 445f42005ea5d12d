"""Envelopes: whatever is well-formed is found, and whatever is not is refused in one line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.relay.envelope import LARGEST, MOST_ITEMS, Envelope, EnvelopeError, read_object

pytestmark = pytest.mark.fast

KINDS = st.text(min_size=1, max_size=20)
LINES = st.binary(max_size=80).map(lambda line: line.replace(b"\n", b" "))


@st.composite
def parts(draw: st.DrawFn) -> tuple[str, bytes, bool]:
    """An item: its kind, its payload, and whether its header says how long that is."""
    says = draw(st.booleans())
    return draw(KINDS), draw(st.binary(max_size=80) if says else LINES), says


def line(data: object) -> bytes:
    return json.dumps(data).encode() + b"\n"


def item(kind: str, payload: bytes, *, says: bool) -> bytes:
    return line({"type": kind} | ({"length": len(payload)} if says else {})) + payload


@given(st.lists(parts(), max_size=8), st.booleans(), st.one_of(st.none(), st.text()))
def test_every_item_of_an_envelope_is_found(items, ends_with_a_newline, dsn):
    body = line({"dsn": dsn, "more": [1]}) + b"\n".join(item(kind, it, says=says) for kind, it, says in items)

    envelope = Envelope.open(body + b"\n" * (ends_with_a_newline and bool(items)))
    found = list(envelope.items())

    assert envelope.dsn == dsn
    assert [(it.kind, it.payload) for it in found] == [(kind, payload) for kind, payload, _ in items]
    assert all(json.loads(it.line)["type"] == it.kind for it in found)


@given(st.binary(max_size=400))
def test_any_bytes_are_an_envelope_or_are_refused(body):
    try:
        found = list(Envelope.open(body).items())
    except EnvelopeError:
        return

    assert sum(len(it.line) + len(it.payload) for it in found) <= len(body)


@given(st.lists(parts(), min_size=1, max_size=3), st.data())
def test_an_envelope_with_a_wrong_byte_is_one_still_or_is_refused(items, data):
    body = bytearray(line({}) + b"\n".join(item(kind, it, says=says) for kind, it, says in items))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    try:
        found = list(Envelope.open(bytes(body)).items())
    except EnvelopeError:
        return

    assert all(isinstance(it.kind, str) for it in found)


@pytest.mark.parametrize("header", [b"", b"{", b"[]", b"null", b'{"dsn": 1', b"\xff", b'{"a":' + b"[" * 10_000])
def test_a_header_that_is_no_json_object_is_refused(header):
    with pytest.raises(EnvelopeError, match=r"^the envelope's header is not a JSON object on the first line$"):
        Envelope.open(header + b"\n")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"{", "item 1: its header is not a JSON object on one line"),
        (b"{}", "item 1: its header has no `type`"),
        (b'{"type":1}', "item 1: its header has no `type`"),
        (b'{"type":"x"}\nab\n\n{', "item 2: its header is not"),
        (b'{"type":"x","length":3}\nab', "item 1: its `length` is not that of its payload"),
        (b'{"type":"x","length":-1}\nab', "item 1: its `length` is not"),
        (b'{"type":"x","length":1.5}\nab', "item 1: its `length` is not"),
        (b'{"type":"x","length":true}\na', "item 1: its `length` is not"),
        (b'{"type":"x","length":"2"}\nab', "item 1: its `length` is not"),
        (b'{"type":"x","length":1e400}\nab', "item 1: its `length` is not"),
        (b'{"type":"x","length":' + b"9" * 5000 + b"}\nab", "item 1: its "),
        (b'{"type":"x","length":1}\nab\n', "item 1: its payload does not end where its `length` says"),
        (b'{"type":"x","length":1}', "item 1: its `length` is not"),
    ],
)
def test_what_is_wrong_with_an_item_is_told(text, wanted):
    with pytest.raises(EnvelopeError) as caught:
        list(Envelope.open(b"{}\n" + text).items())

    assert str(caught.value).startswith(wanted)


def test_a_million_items_are_not_looked_at():
    with pytest.raises(EnvelopeError, match=f"^the envelope has more than {MOST_ITEMS} items$"):
        list(Envelope.open(b"{}\n" + b'{"type":"x"}\n\n' * 1_000_000).items())


def test_an_item_may_have_no_payload():
    (found,) = Envelope.open(b'{}\n{"type":"x"}').items()

    assert (found.kind, found.payload) == ("x", b"")


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (b"x" * (LARGEST + 1), "a payload is longer than 1048576 bytes"),
        (b"[" * 100_000, "a payload is not JSON"),
        (b"\xff", "a payload is not JSON"),
        (b"1" * 5000, "a payload is not JSON"),
        (b"[]", "a payload is not a JSON object"),
    ],
)
def test_a_payload_that_is_no_json_object_is_refused(payload, wanted):
    with pytest.raises(EnvelopeError) as caught:
        read_object(payload)

    assert str(caught.value) == wanted
