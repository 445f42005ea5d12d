"""What SDKs wrap events in: gzip without a header that says so, base64, forms; and what is read of the JSON in it."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core.core_schema import any_schema, list_schema, typed_dict_field, typed_dict_schema

from exporter.limits import Rejected

MOST_EVENTS = 1000
"""Events of one request: the SDKs send a hundred at once at most."""
MOST_WRAPPINGS = 4
"""One more than any SDK makes: gzip, base64 and a form."""
LARGEST = 1024 * 1024
"""Bytes of JSON that is read whole, because it has something that the faster reader refuses."""

_GZIP = b"\x1f\x8b"
_LZ = ("lz64", "lz-string")


@dataclass(frozen=True)
class Posted:
    """What was posted: the events, of which only what is counted is there, and every project's key that was shown."""

    events: Sequence[Mapping[str, Any]]
    keys: frozenset[str]


def _fields(*names: str, **nested: CoreSchema) -> CoreSchema:
    schemas = {name: any_schema() for name in names} | nested
    return typed_dict_schema({name: typed_dict_field(schema, required=False) for name, schema in schemas.items()})


_KEYS = ("api_key", "token", "$token")
_EVENT = _fields("event", "uuid", *_KEYS, properties=_fields("token"))
_EVENTS = list_schema(_EVENT, max_length=MOST_EVENTS)
_ONE = SchemaValidator(_fields("event", "uuid", *_KEYS, properties=_fields("token"), batch=_EVENTS))
_MANY = SchemaValidator(_EVENTS)


def unwrapped(body: bytes, hint: str, inflate: Callable[[bytes], bytes], *, form: bool) -> bytes:
    """The JSON in a body that is wrapped any number of times; `hint` is the query's `compression`. Raises Rejected."""
    form = form or body.startswith(b"data=")
    for _ in range(MOST_WRAPPINGS):
        if body.lstrip()[:1] in (b"{", b"["):
            return body
        if body[:2] == _GZIP:
            body = inflate(body)
        elif form:
            fields = _form(body)
            body, form = fields.get("data", b""), False
            hint = fields.get("compression", b"").decode("latin-1") or hint
        elif hint in _LZ:
            raise Rejected(415, "body", "lz64 is not read here: send gzip-js, base64 or plain JSON, as SDKs do by now")
        else:
            body = _from_base64(body)
    raise Rejected(400, "body", "expected JSON, in gzip or base64 or a form's `data` where it is wrapped")


def _form(body: bytes) -> dict[str, bytes]:
    """A form's fields; by way of Latin-1, in which every byte is a character of its own."""
    try:
        fields = parse_qsl(body.decode("latin-1"), encoding="latin-1", max_num_fields=16)
    except ValueError:
        raise Rejected(400, "body", "the form cannot be read") from None
    return {name: value.encode("latin-1") for name, value in fields}


def _from_base64(body: bytes) -> bytes:
    text = body.strip().replace(b" ", b"+").rstrip(b"=")  # a form has made spaces of the plus signs
    try:
        return b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise Rejected(400, "body", "the body is neither JSON nor gzip, base64 or a form with `data`") from None


def read(text: bytes, *, batches: bool = True) -> Posted:
    """What was posted; without `batches` any JSON object is taken as it is, for its keys. Raises Rejected."""
    try:
        data = (_MANY if text.lstrip()[:1] == b"[" else _ONE).validate_json(text)
    except ValueError:
        # Texts cut in the middle of a character, which JavaScript writes, are among what that parser refuses.
        data = _read_whole(text)
    events = _events(data) if batches else []
    shown = (*([data] if isinstance(data, dict) else []), *events)
    return Posted(events, frozenset(chain.from_iterable(map(_keys, shown))))


def _read_whole(text: bytes) -> Any:
    if len(text) > LARGEST:
        raise Rejected(413, "size", f"the JSON is broken, has more than {MOST_EVENTS} events, or is too long to tell")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Rejected(400, "body", "the body is not JSON") from None


def _events(data: Any) -> list[Mapping[str, Any]]:
    found = data.get("batch", [data] if "event" in data else None) if isinstance(data, dict) else data
    if not isinstance(found, list) or not all(isinstance(event, dict) for event in found):
        raise Rejected(400, "body", "expected an event, a list of them, or an object with the list `batch`")
    if len(found) > MOST_EVENTS:
        raise Rejected(413, "size", f"the body has more than {MOST_EVENTS} events")
    return found


def _keys(it: Mapping[str, Any]) -> Iterator[str]:
    properties = it.get("properties")
    shown = [it.get(name) for name in _KEYS]
    if isinstance(properties, dict):
        shown.append(properties.get("token"))
    yield from (key for key in shown if isinstance(key, str))
