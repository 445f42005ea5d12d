"""The browsers of the toy's users: what they measure, and what PostHog's SDK captures in them."""

from collections.abc import Collection
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

from exporter.demo.actions import SLOW_MS
from exporter.demo.catalogue import ANSWER_MS, PAGES
from exporter.demo.notes import Item, new_id
from exporter.demo.outages import Outage
from exporter.demo.posting import Endpoints, Post

KEY = "phc_demo"
"""The key of PostHog's project, which is public as all of them are."""
CAPTURED = {
    "chat_message": "chat_message_sent",
    "subscription_created": "subscription_upgrade",
    "file_upload": "file_uploaded",
}
"""The app's business events that its pages tell PostHog of, and under which names."""


class Pages:
    """Beacons and captures; requests that suffer as `broken` says make users wait."""

    def __init__(self, endpoints: Endpoints, random: Random, broken: Collection[Outage]) -> None:
        self._origin = endpoints.origin
        self._random = random
        self._broken = broken

    def opened(self, now: float) -> list[Post]:
        """A page was opened, looked at, and left."""
        page = self._random.choice(PAGES)
        path = page.route.replace("[id]", new_id())
        lcp = page.lcp * self._random.lognormvariate(0, 0.4)
        measured = {
            "TTFB": 0.2 * lcp,
            "FCP": 0.6 * lcp,
            "LCP": lcp,
            "INP": page.inp * self._random.lognormvariate(0, 0.6),
            "CLS": 0.02 * self._random.lognormvariate(0, 1),
        }
        vitals = [{"name": name, "value": round(value, 4), "page": path} for name, value in measured.items()]
        seen = self._captured("$pageview", now, **{"$current_url": self._origin + path})
        return [self._beacon(vitals), seen]

    def done(self, event: Item, now: float) -> list[Post]:
        """A user did something that the app notes as this business event."""
        posts = []
        if event["event"] == "chat_message":
            posts.append(self._beacon([self._answered(event["data"]["provider"], event["data"]["model"])]))
        if event["event"] in CAPTURED:
            posts.append(self._captured(CAPTURED[event["event"]], now, **event["data"]))
        return posts

    def _answered(self, provider: str, model: str) -> dict[str, Any]:
        waited = ANSWER_MS[model] * self._random.lognormvariate(0, 0.5)
        late = SLOW_MS if Outage.SLOW in self._broken else 0
        return {"name": "chat_response_time", "value": round(waited + late), "provider": provider, "model": model}

    def _beacon(self, measured: list[dict[str, Any]]) -> Post:
        # As text, which is what browsers may send without asking first.
        return Post.json("/v1/beacon", measured, Origin=self._origin, **{"Content-Type": "text/plain;charset=UTF-8"})

    def _captured(self, name: str, now: float, **properties: str | float) -> Post:
        event = {
            "uuid": str(uuid4()),
            "event": name,
            "distinct_id": new_id(),
            "timestamp": datetime.fromtimestamp(now, UTC).isoformat(),
            "properties": {"token": KEY, **properties},
        }
        return Post.json("/ingest/e/", [event], Origin=self._origin)
