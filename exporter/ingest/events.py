"""POST /v1/events: business events from the app, stored as rows of its own table before they are acknowledged."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, ClassVar

from aiohttp import web
from pydantic import Field, field_validator

from exporter.config.fields import Name
from exporter.config.secret import SecretField
from exporter.errors import ExporterError
from exporter.ingest.app_events import APP_EVENTS
from exporter.ingest.declared_events import DeclaredEvent, LiveEvent
from exporter.ingest.posted import Malformed, Shape, Stamps, accepted, encoded, items, nearest, shown
from exporter.limits import Access, Call, Endpoint, Given, Keeper, Origin, Row, Section, section
from exporter.metrics.catalogue import Metric

EVENTS = Metric(
    "chatterfy_events_total",
    "counter",
    "Business events that were accepted and are safe; counted at every request. One that is sent again under its key is"
    " counted again only while the database is away.",
    ("event",),
)
TABLE = "business_event"
_KEYS = frozenset(("event", "data", "id", "timestamp"))
_NOTHING: Mapping[str, Any] = {}


@section("events")
class EventsSection(Section):
    """Business events, at /v1/events: stored in the table business_event, whose queries count them."""

    STORES: ClassVar = TABLE

    token: SecretField | None = None
    """What senders show as `Authorization: Bearer`; without it whoever reaches the listener may send."""
    origins: list[Origin] = Field(default_factory=list)
    """The origins whose pages may send, such as https://app.example.com; none for servers alone."""
    declare: dict[Name, DeclaredEvent] = Field(default_factory=dict, max_length=100)
    """Events of your own, by name, besides the app's five."""

    @field_validator("declare")
    @classmethod
    def _names_are_free(cls, declared: dict[str, DeclaredEvent]) -> dict[str, DeclaredEvent]:
        for name, event in declared.items():
            if name in APP_EVENTS:
                raise ValueError(f"{name} is one of the app's own events, and counted by a query")
            if event.metric == "histogram" and name.endswith(("_total", "_bucket", "_sum", "_count")):
                raise ValueError(f"{name}: expected a histogram's name not to end in _total, _bucket, _sum or _count")
        return declared

    def endpoints(self, given: Given) -> Iterable[Endpoint]:
        """The one endpoint."""
        if given.keeper is None:
            raise ExporterError("ingest.events: there is nowhere to store events: name a database in `database.url`")
        access = Access(self.token, frozenset(self.origins))
        yield Endpoint("events", "/v1/events", _Events(self, given, given.keeper).answer, access)


class _Events:
    """Takes events."""

    def __init__(self, options: EventsSection, given: Given, keeper: Keeper) -> None:
        self._store = given.store
        self._clock = given.tools.clock
        self._keeper = keeper
        self._live = {name: LiveEvent(name, event, given.store) for name, event in options.declare.items()}
        for live in self._live.values():
            given.closing.callback(given.store.drop, live.metric)
        self._shapes: dict[str, Shape] = {
            **APP_EVENTS,
            **{name: event.shape for name, event in options.declare.items()},
        }
        for name in self._shapes:
            given.store.add(EVENTS, name, amount=0)

    async def answer(self, call: Call) -> web.Response:
        """Stores all events of the request, or none."""
        found = items(call)
        stamps = Stamps(call.request, len(found), self._clock.now(), self._keeper.late)
        rows: list[Row] = []
        data: list[Mapping[str, Any]] = []
        for index, item in enumerate(found):
            try:
                rows.append(self._row(item, index, stamps, data))
            except Malformed as malformed:
                raise malformed.at(f"events[{index}]") from None
        new = await self._keeper.accept(TABLE, rows, named=stamps.named)
        self._count([str(row["event_type"]) for row in rows], data, new)
        return accepted(len(rows))

    def _row(self, item: object, index: int, stamps: Stamps, all_data: list[Mapping[str, Any]]) -> Row:
        if not isinstance(item, dict):
            raise Malformed("", "expected an object")
        name, data = item.get("event"), item.get("data", _NOTHING)
        shape = self._shape(name)
        if not isinstance(data, dict):
            raise Malformed("data", "expected an object")
        shape.check(data, "data.")
        if not _KEYS.issuperset(item):
            unknown = next(key for key in item if key not in _KEYS)
            raise Malformed("", f"unknown key {shown(unknown)}{nearest(unknown, _KEYS)}")
        all_data.append(data)
        return {
            "id": stamps.key(item.get("id"), index),
            "event_type": name,
            "data": encoded(data),
            "created_at": stamps.time(item.get("timestamp")),
        }

    def _shape(self, name: object) -> Shape:
        shape = self._shapes.get(name) if isinstance(name, str) else None
        if shape is not None:
            return shape
        if name is None:
            raise Malformed("event", "missing, expected the event's name")
        raise Malformed("event", f"unknown event {shown(name)}{nearest(name, self._shapes)}")

    def _count(self, names: Sequence[str], data: Sequence[Mapping[str, Any]], new: Sequence[bool] | None) -> None:
        """Counts the events that are new."""
        if new is not None:
            names, data = list(compress(names, new)), list(compress(data, new))
        for name in set(names):
            self._store.add(EVENTS, name, amount=names.count(name))
        if self._live:
            for name, values in zip(names, data, strict=True):
                if name in self._live:
                    self._live[name].count(values)
