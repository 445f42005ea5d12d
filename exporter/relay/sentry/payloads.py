"""What is read of an item's payload: only the fields that are counted, the rest is skipped over."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core.core_schema import any_schema, list_schema, typed_dict_field, typed_dict_schema

from exporter.relay.envelope import Item, TooLargeError, read_object

MOST_ENTRIES = 1000
"""Spans and other entries of one envelope: so many spans an SDK sends at once at most, and far less of the rest."""
LARGEST = 2 * 1024 * 1024
"""Bytes that are read of one envelope; attachments, replays and the like are not read and may be larger."""


def _fields(*names: str, **nested: CoreSchema) -> CoreSchema:
    """An object of which these fields are read, where it has them."""
    schemas = {name: any_schema() for name in names} | nested
    return typed_dict_schema({name: typed_dict_field(schema, required=False) for name, schema in schemas.items()})


def _list(*names: str) -> CoreSchema:
    return list_schema(_fields(*names), max_length=MOST_ENTRIES)


READERS = {
    kind: SchemaValidator(schema)
    for kind, schema in {
        "event": _fields("level", "environment"),
        "transaction": _fields(
            "transaction", "start_timestamp", "timestamp", contexts=_fields(trace=_fields("status"))
        ),
        "span": _fields(items=_list("name", "start_timestamp", "end_timestamp", "is_segment", "status")),
        "session": _fields("init", "status", "errors"),
        "sessions": _fields(aggregates=_list("exited", "errored", "crashed", "abnormal", "unhandled")),
        "check_in": _fields("monitor_slug", "status"),
        "client_report": _fields(discarded_events=_list("reason", "category", "quantity")),
    }.items()
}
"""By kind of item: what reads its payload. It skips what is not named without making objects of it."""

_LISTS = {"span": "items", "sessions": "aggregates", "client_report": "discarded_events"}


def read(kind: str, payload: bytes) -> Mapping[str, Any]:
    """What is counted of a payload of one of READERS' kinds; raises EnvelopeError for what is not a JSON object."""
    try:
        found: Mapping[str, Any] = READERS[kind].validate_json(payload)
    except ValueError:
        # SDKs cut texts in the middle of a character, which this parser refuses and Sentry does not.
        found = read_object(payload)
    return found


def read_all(items: Iterable[Item]) -> list[tuple[str, Mapping[str, Any]]]:
    """Kind and payload of each item, an empty payload where it is only passed on; raises EnvelopeError."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    size = count = 0
    for item in items:
        payload: Mapping[str, Any] = {}
        if item.kind in READERS:
            size += item.end - item.start
            if size > LARGEST:
                raise TooLargeError(f"what the envelope has beside attachments is longer than {LARGEST} bytes")
            payload = read(item.kind, item.payload)
            count += len(entries(payload, _LISTS.get(item.kind, "")))
            if count > MOST_ENTRIES:
                raise TooLargeError(f"the envelope has more than {MOST_ENTRIES} spans or other entries")
        found.append((item.kind, payload))
    return found


def entries(payload: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects of a payload's list, none where it has no such list."""
    found = payload.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def inside(payload: Mapping[str, Any], *keys: str) -> Any:
    """The value at a path of keys, None where there is none."""
    found: Any = payload
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found
