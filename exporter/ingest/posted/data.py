"""An event's data as JSON text that PostgreSQL takes in every kind of column, and that queries can read."""

import json
from collections.abc import Mapping

from exporter.ingest.posted.fields import Malformed

LONGEST = 8 * 1024
"""Bytes of an event's data."""
DEEPEST = 3
"""How deep objects and arrays may stand in one another: queries read no deeper."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)


def encoded(data: Mapping[str, object]) -> str:
    """The JSON text; raises Malformed for data that is too long or too deep, or has text that no database takes."""
    for value in data.values():
        if type(value) in _CONTAINERS and _deeper(value, DEEPEST - 1):
            raise Malformed("data", f"expected at most {DEEPEST} levels of objects and arrays")
    try:
        text = _ENCODER.encode(data)
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise Malformed("data", "expected text without half of a surrogate pair") from None
    except ValueError:
        raise Malformed("data", "expected numbers that are not infinite") from None
    if size > LONGEST:
        raise Malformed("data", f"expected at most {LONGEST} bytes of JSON")
    if "\\u0000" in text and _has_nul(data):
        raise Malformed("data", "expected text without the character NUL")
    return text


_CONTAINERS = (dict, list)


def _deeper(value: object, levels: int) -> bool:
    """Whether there are more levels than that."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(_deeper(item, levels - 1) for item in inner))


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value
