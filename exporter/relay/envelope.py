"""Sentry's envelope: a line of JSON, then items, each a line of JSON and a payload that is read only where wanted.

https://develop.sentry.dev/sdk/foundations/transport/envelopes/
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import SchemaValidator
from pydantic_core.core_schema import any_schema, typed_dict_field, typed_dict_schema

MOST_ITEMS = 1000
"""Items of one envelope: the SDKs put a hundred into one at most."""
LARGEST = 1024 * 1024
"""Bytes of a payload that is read whole: Sentry itself takes no larger event."""


class EnvelopeError(ValueError):
    """What is wrong with an envelope, in one line that quotes nothing of it."""


class TooLargeError(EnvelopeError):
    """What there is too much of."""


def _reader(*names: str) -> SchemaValidator:
    """Reads these keys of a JSON object, where it has them, and skips the rest."""
    return SchemaValidator(typed_dict_schema({name: typed_dict_field(any_schema(), required=False) for name in names}))


_HEADER = _reader("dsn")
_ITEM_HEADER = _reader("type", "length")


@dataclass(frozen=True, slots=True)
class Item:
    """An item, whose payload lies between `start` and `end`, and its header's line between `head` and `start`."""

    kind: str
    envelope: bytes
    head: int
    start: int
    end: int

    @property
    def payload(self) -> bytes:
        """The payload's bytes."""
        return self.envelope[self.start : self.end]

    @property
    def line(self) -> bytes:
        """The header's line, with its newline where it has one."""
        return self.envelope[self.head : self.start]


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope whose header has been read: `dsn` is whatever it has there. Its items begin at `start`."""

    dsn: Any
    body: bytes
    start: int

    @classmethod
    def open(cls, body: bytes) -> "Envelope":
        """Reads the header alone; raises EnvelopeError."""
        end = _line_end(body, 0)
        try:
            return cls(_HEADER.validate_json(body[:end]).get("dsn"), body, end + 1)
        except ValueError:
            raise EnvelopeError("the envelope's header is not a JSON object on the first line") from None

    def items(self) -> Iterator[Item]:
        """The items in order, each found when it is asked for; raises EnvelopeError."""
        body, place, count = self.body, self.start, 0
        while place < len(body):
            if body[place] == 10:  # an empty line, as some SDKs put at the end
                place += 1
                continue
            count += 1
            if count > MOST_ITEMS:
                raise TooLargeError(f"the envelope has more than {MOST_ITEMS} items")
            item = _item(body, place, count)
            yield item
            place = item.end + 1


def _line_end(body: bytes, start: int) -> int:
    end = body.find(b"\n", start)
    return len(body) if end < 0 else end


def _item(body: bytes, head: int, number: int) -> Item:
    """The item whose header begins at `head`; `number` is for the message."""
    line_end = _line_end(body, head)
    try:
        header = _ITEM_HEADER.validate_json(body[head:line_end])
    except ValueError:
        raise EnvelopeError(f"item {number}: its header is not a JSON object on one line") from None
    kind, length = header.get("type"), header.get("length")
    start = min(line_end + 1, len(body))
    if not isinstance(kind, str):
        raise EnvelopeError(f"item {number}: its header has no `type`")
    if length is None:
        return Item(kind, body, head, start, _line_end(body, start))
    if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= len(body) - start:
        raise EnvelopeError(f"item {number}: its `length` is not that of its payload")
    end = start + length
    if end < len(body) and body[end] != 10:
        raise EnvelopeError(f"item {number}: its payload does not end where its `length` says")
    return Item(kind, body, head, start, end)


def read_object(payload: bytes) -> dict[str, Any]:
    """A payload as the object that it is, also with what a strict parser refuses; raises EnvelopeError."""
    if len(payload) > LARGEST:
        raise TooLargeError(f"a payload is longer than {LARGEST} bytes")
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        raise EnvelopeError("a payload is not JSON") from None
    if not isinstance(data, dict):
        raise EnvelopeError("a payload is not a JSON object")
    return data
