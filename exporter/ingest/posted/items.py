"""The items of a body: one JSON object, an array of them, or one on each line."""

from aiohttp import web
from pydantic_core import from_json

from exporter.limits import Call, Rejected

MOST = 1000
"""Items of one request, unless the endpoint takes less."""
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
"""Content types of bodies with an item on each line."""


def items(call: Call, most: int = MOST) -> list[object]:
    """What was posted, item by item, whatever each may be; raises Rejected for more than that."""
    if call.request.content_type in LINES:
        lines = [line for line in call.inflated.split(b"\n") if line.strip()]
        # No line of more is looked at than an answer would speak of.
        found = [_parsed(line, f"line {number}") for number, line in enumerate(lines[: most + 1], 1)]
    else:
        parsed = _parsed(call.inflated, "the body")
        found = parsed if isinstance(parsed, list) else [parsed]
    if not found:
        raise Rejected(400, "body", "expected an object, an array of objects, or one on each line: the body has none")
    if len(found) > most:
        raise Rejected(400, "body", f"expected at most {most} at once")
    return found


def accepted(count: int) -> web.Response:
    """The answer once everything is safe."""
    return web.Response(body=b'{"accepted": %d}\n' % count, status=202, content_type="application/json")


def _parsed(text: bytes, where: str) -> object:
    try:
        found: object = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        told = str(error).replace(" at line 1 column ", " at column ")
        raise Rejected(400, "body", f"{where} is not JSON: {told}") from None
    return found
