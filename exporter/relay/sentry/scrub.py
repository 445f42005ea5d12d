"""What should not leave: request bodies, headers, cookies, prompts and the like, taken out of events."""

import json
import re
from collections.abc import Iterable
from typing import Any

from exporter.relay.envelope import Envelope, Item, read_object

FILTERED = "[Filtered]"
"""What Sentry's own SDKs put in place of what they take out."""
SCRUBBED = ("event", "transaction", "span")
"""Kinds of items that are scrubbed: what Sentry calls an event, and the spans that newer SDKs send instead of it."""

_REQUEST = ("data", "cookies", "headers", "env", "query_string")
_SECRET = re.compile(
    r"^http\.(request|response)\.(body|header)\b|^http\.(url|target)$|^url\.full$"
    r"|(^|[._-])(body|headers?|cookies?|query|prompts?|messages|completions?|vars|authorization|password|passwd|secret"
    r"|api_?key|access_?token|token)$",
    re.IGNORECASE,
)


def scrubbed(envelope: Envelope, items: Iterable[Item]) -> bytes:
    """The envelope with its events scrubbed and all else as it was; raises EnvelopeError."""
    return envelope.body[: envelope.start].rstrip(b"\n") + b"\n" + b"".join(map(_item, items))


def scrubbed_event(payload: bytes) -> bytes:
    """An event's JSON without what should not leave; raises EnvelopeError."""
    event = read_object(payload)
    request = event.get("request")
    if isinstance(request, dict):
        for key in _REQUEST:
            request.pop(key, None)
    left: list[Any] = [event]
    while left:  # no recursion: how deep it is was decided elsewhere
        place = left.pop()
        if isinstance(place, dict):
            for key in place:
                if _SECRET.search(key):
                    place[key] = {"type": "string", "value": FILTERED} if _is_attribute(place[key]) else FILTERED
            left += place.values()
        elif isinstance(place, list):
            left += place
    return json.dumps(event, separators=(",", ":")).encode()


def _is_attribute(value: object) -> bool:
    """Whether it is one of a span, whose value stands beside its type."""
    return isinstance(value, dict) and value.keys() >= {"type", "value"}


def _item(item: Item) -> bytes:
    if item.kind not in SCRUBBED:
        return item.line.rstrip(b"\n") + b"\n" + item.payload + b"\n"
    payload = scrubbed_event(item.payload)
    header = json.loads(item.line) | {"length": len(payload)}
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + payload + b"\n"
