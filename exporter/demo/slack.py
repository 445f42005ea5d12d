"""A stand-in for Slack: takes what is posted to its incoming webhook, and fails in Slack's ways where it is told to."""

import json
import math
import re
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from aiohttp import web

from exporter.clock import Clock

KEPT = 200
RETRY_AFTER = "30"


_COLOURS = {"good": "#2eb67d", "warning": "#ecb22e", "danger": "#e01e5a"}


class Trouble(Enum):
    """How Slack fails."""

    BUSY = auto()
    """429, with a Retry-After."""
    HANGS = auto()
    """It takes the request, and never answers."""


@dataclass(frozen=True)
class Message:
    """A message as it was posted, and when (seconds since 1970)."""

    at: float
    payload: dict[str, Any]

    @property
    def text(self) -> str:
        """All that it says, to look something up in it."""
        return json.dumps(self.payload, ensure_ascii=False)


class Slack:
    """The webhook; `messages` are those that it took, `turned_away` those that it did not, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self.messages: deque[Message] = deque(maxlen=KEPT)
        self.turned_away: deque[Message] = deque(maxlen=KEPT)
        self._clock = clock
        self._troubles: list[tuple[str, Trouble]] = []

    def fail_next(self, trouble: Trouble, about: str) -> None:
        """Fails once, at the next message in which this text stands."""
        self._troubles.append((about, trouble))

    async def post(self, request: web.Request) -> web.Response:
        """`POST /services/...`: answers as Slack does, https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""
        try:
            payload = await request.json()
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            return web.Response(status=400, text="invalid_payload")
        message = Message(self._clock.now(), payload)
        trouble = next((it for it in self._troubles if it[0] in message.text), None)
        if trouble is None:
            self.messages.append(message)
            return web.Response(text="ok")
        self._troubles.remove(trouble)
        self.turned_away.append(message)
        if trouble[1] is Trouble.HANGS:
            await self._clock.sleep(math.inf)
        return web.Response(status=429, text="rate_limited", headers={"Retry-After": RETRY_AFTER})


def colour(name: object) -> str:
    """An attachment's colour, one of Slack's three names or #RRGGBB, for CSS; grey for anything else."""
    text = str(name)
    return _COLOURS.get(text) or (text if re.fullmatch("#[0-9a-fA-F]{6}", text) else "#8d8d8f")
