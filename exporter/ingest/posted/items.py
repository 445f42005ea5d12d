"""The items of a body: one JSON object, an array of them, or one on each line."""

import json
from typing import NoReturn

from aiohttp import web

from exporter.limits import Call, Rejected

MOST = 1000
"""Items of one request."""
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
"""Content types of bodies with an item on each line."""


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


# Without the keywords of json.loads, which would make a decoder for each body.
_DECODER = json.JSONDecoder(parse_constant=_no_number)


def items(call: Call) -> list[object]:
    """What was posted, item by item, whatever each may be; raises Rejected."""
    try:
        text = call.inflated.decode()
    except UnicodeDecodeError:
        raise Rejected(400, "body", "the body is not UTF-8") from None
    if call.request.content_type in LINES:
        lines = [line for line in text.split("\n") if line.strip()]
        # No line of more is looked at than an answer would speak of.
        found = [_parsed(line, f"line {number}") for number, line in enumerate(lines[: MOST + 1], 1)]
    else:
        parsed = _parsed(text, "the body")
        found = parsed if isinstance(parsed, list) else [parsed]
    if not found:
        raise Rejected(400, "body", "expected an object, an array of objects, or one on each line: the body has none")
    if len(found) > MOST:
        raise Rejected(400, "body", f"expected at most {MOST} at once")
    return found


def accepted(count: int) -> web.Response:
    """The answer once everything is safe."""
    return web.Response(body=b'{"accepted": %d}\n' % count, status=202, content_type="application/json")


def _parsed(text: str, where: str) -> object:
    try:
        found: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Rejected(400, "body", f"{where} is not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError:  # NaN and the like, or a number of thousands of digits
        raise Rejected(400, "body", f"{where} is not JSON: it has a number that is none, or far too long") from None
    except RecursionError:
        raise Rejected(400, "body", f"{where} is nested too deep") from None
    return found
