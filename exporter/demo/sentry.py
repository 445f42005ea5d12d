"""A stand-in for Sentry: takes envelopes and keeps the events that came in them."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from exporter.clock import Clock
from exporter.demo.slack import KEPT

ALERTS, APP = "1", "2"
"""The projects: alerts come to one, the errors of the toy API to the other."""


@dataclass(frozen=True)
class Event:
    """An event as it was sent, and when it came (seconds since 1970)."""

    at: float
    payload: dict[str, Any]

    @property
    def title(self) -> str:
        """What it says."""
        said = self.payload.get("logentry", {})
        return str(self.payload.get("message") or said.get("formatted") or said.get("message") or "an error")


class Sentry:
    """The ingestion of events; those of alerts are `events`, all others `errors`, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self.events: deque[Event] = deque(maxlen=KEPT)
        self.errors: deque[Event] = deque(maxlen=KEPT)
        self._clock = clock

    @property
    def all(self) -> list[Event]:
        """All that came, newest first."""
        return sorted((*self.events, *self.errors), key=lambda event: event.at, reverse=True)

    async def post(self, request: web.Request) -> web.Response:
        """`POST /api/<project>/envelope/`: answers as Sentry does."""
        try:
            items = list(_items(await request.read()))
        except ValueError:
            return web.json_response({"detail": "invalid envelope"}, status=400)
        kept = self.events if request.match_info["project"] == ALERTS else self.errors
        kept += [Event(self._clock.now(), json.loads(body)) for kind, body in items if kind == "event"]
        return web.json_response({})


def _items(envelope: bytes) -> Iterator[tuple[str, bytes]]:
    """The kind and the payload of each item: https://develop.sentry.dev/sdk/foundations/transport/envelopes/."""
    _, _, rest = envelope.partition(b"\n")
    while rest:
        head, _, rest = rest.partition(b"\n")
        header = json.loads(head)
        length = header.get("length", rest.find(b"\n") if b"\n" in rest else len(rest))
        yield header["type"], rest[:length]
        rest = rest[length:].removeprefix(b"\n")
