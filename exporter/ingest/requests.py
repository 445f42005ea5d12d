"""POST /v1/metrics: the app's request log, as its middleware writes it; stored alone, since queries count the table."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar

from aiohttp import web

from exporter.config.secret import SecretField
from exporter.errors import ExporterError
from exporter.ingest.posted import Field, Malformed, Shape, Stamps, accepted, is_number, items
from exporter.limits import Access, Call, Endpoint, Given, Keeper, Row, Section, section

TABLE = "api_request"
LONGEST_PATH = 500
"""Characters of a path that are kept."""
LONGEST_DURATION = 1e9
"""Milliseconds."""
_METHOD = re.compile(r"[A-Z]{1,20}")


def _is_path(value: object) -> bool:
    return type(value) is str and value[:1] == "/" and len(value) <= 8 * LONGEST_PATH and "\0" not in value


def _is_duration(value: object) -> bool:
    return is_number(value) and 0 <= value < LONGEST_DURATION  # type: ignore[operator]  # it is a number


_SHAPE = Shape(
    {
        "type": Field(lambda value: value == "api_request", '"api_request"'),
        "endpoint": Field(_is_path, "a path such as /v1/chat/completions"),
        "method": Field(
            lambda value: type(value) is str and _METHOD.fullmatch(value) is not None, "a method such as GET"
        ),
        "duration": Field(_is_duration, "milliseconds, at least 0"),
        "status": Field(lambda value: type(value) is int and 100 <= value <= 599, "a status from 100 to 599"),
        "timestamp": Field(lambda _: True, "a time", required=False),
        "id": Field(lambda _: True, "a key", required=False),
    },
    closed=True,
)


@section("requests")
class RequestsSection(Section):
    """The app's request log, at /v1/metrics: stored in the table api_request, whose queries count it."""

    STORES: ClassVar = TABLE

    token: SecretField | None = None
    """What senders show as `Authorization: Bearer`; without it whoever reaches the listener may send."""

    def endpoints(self, given: Given) -> Iterable[Endpoint]:
        """The one endpoint."""
        if given.keeper is None:
            raise ExporterError("ingest.requests: there is nowhere to store them: name a database in `database.url`")
        yield Endpoint("requests", "/v1/metrics", _Requests(given, given.keeper).answer, Access(self.token))


class _Requests:
    """Takes lines of the request log."""

    def __init__(self, given: Given, keeper: Keeper) -> None:
        self._clock = given.tools.clock
        self._keeper = keeper

    async def answer(self, call: Call) -> web.Response:
        """Stores all requests that were posted, or none."""
        found = items(call)
        stamps = Stamps(call.request, len(found), self._clock.now(), self._keeper.late)
        rows = []
        for index, item in enumerate(found):
            try:
                rows.append(_row(item, index, stamps))
            except Malformed as malformed:
                raise malformed.at(f"requests[{index}]") from None
        await self._keeper.accept(TABLE, rows, named=stamps.named)
        return accepted(len(rows))


def _row(item: Any, index: int, stamps: Stamps) -> Row:
    if not isinstance(item, dict):
        raise Malformed("", "expected an object")
    _SHAPE.check(item)
    endpoint: str = item["endpoint"]
    return {
        "id": stamps.key(item.get("id"), index),
        # A query string may hold a key; the queries leave it off too.
        "endpoint": endpoint.partition("?")[0][:LONGEST_PATH],
        "method": item["method"],
        "duration": float(item["duration"]),
        "status": item["status"],
        "created_at": stamps.time(item.get("timestamp")),
    }
