"""An event's data as JSON text that PostgreSQL takes in every kind of column, and that queries can read."""

from collections.abc import Callable, Mapping
from math import isinf

from pydantic_core import to_json

from exporter.ingest.posted.fields import Malformed

LONGEST = 8 * 1024
"""Bytes of an event's data."""
DEEPEST = 3
"""How deep objects and arrays may stand in one another: queries read no deeper."""


def encoded(data: Mapping[str, object]) -> str:
    """The JSON text; raises Malformed for data that is too long or too deep, or has what no database takes."""
    text = to_json(data)
    if len(text) > LONGEST:
        raise Malformed("data", f"expected at most {LONGEST} bytes of JSON")
    for value in data.values():
        if type(value) in _CONTAINERS and _deeper(value, DEEPEST - 1):
            raise Malformed("data", f"expected at most {DEEPEST} levels of objects and arrays")
    # Either may stand in a text, or in a key, too: so that is only where a closer look begins.
    if b"Infinity" in text and _has(data, lambda value: isinstance(value, float) and isinf(value)):
        raise Malformed("data", "expected numbers that are not infinite")
    if b"\\u0000" in text and _has(data, lambda value: isinstance(value, str) and "\0" in value):
        raise Malformed("data", "expected text without the character NUL")
    return text.decode()


_CONTAINERS = (dict, list)


def _deeper(value: object, levels: int) -> bool:
    """Whether there are more levels than that."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(_deeper(item, levels - 1) for item in inner))


def _has(value: object, wanted: Callable[[object], bool]) -> bool:
    """Whether a value is somewhere in there, as a key or otherwise."""
    if isinstance(value, dict):
        return any(wanted(key) or _has(item, wanted) for key, item in value.items())
    if isinstance(value, list):
        return any(_has(item, wanted) for item in value)
    return wanted(value)
