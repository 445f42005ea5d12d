"""What came, as a metric: events by name, each once, however often an SDK has to send it."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from exporter.metrics.catalogue import Metric
from exporter.metrics.labels import OTHER, UNKNOWN
from exporter.metrics.store import Store

EVENTS = Metric(
    "chatterfy_posthog_events_total",
    "counter",
    "Events that apps sent to PostHog through this exporter, by name; those that are not declared are `other`; "
    "counted when they first come.",
    ("event",),
)

OWN = (
    "$pageview", "$pageleave", "$autocapture", "$rageclick", "$dead_click", "$web_vitals", "$exception", "$identify",
    "$create_alias", "$groupidentify", "$set", "$feature_flag_called", "$opt_in", "survey shown", "survey sent",
    "survey dismissed", "$ai_generation", "$ai_trace", "$ai_span", "$ai_embedding",
)  # fmt: skip
"""Events that PostHog's SDKs send of themselves."""
REMEMBERED = 20_000
"""Events whose ids are remembered: while PostHog is down, SDKs send each up to ten times."""


class Counts:
    """Belongs to the event loop."""

    def __init__(self, store: Store, declared: Iterable[str]) -> None:
        self._store = store
        self._declared = {*OWN, *declared}
        self._seen: OrderedDict[int, None] = OrderedDict()
        for name in sorted({*self._declared, OTHER}):
            store.add(EVENTS, name, amount=0)

    def events(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Counts those that are new."""
        for event in events:
            if not self._came_before(event):
                self._store.add(EVENTS, self._label(event.get("event")))

    def _label(self, name: object) -> str:
        if not isinstance(name, str) or not name:
            return UNKNOWN
        return name if name in self._declared else OTHER

    def _came_before(self, event: Mapping[str, Any]) -> bool:
        """As PostHog tells it: by id and name; an event without an id is always new."""
        uuid, name = event.get("uuid"), event.get("event")
        if not isinstance(uuid, str) or not isinstance(name, str):
            return False
        mark = hash((uuid, name))
        if mark in self._seen:
            return True
        self._seen[mark] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False
