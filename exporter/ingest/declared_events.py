"""Events that a configuration declares: each is a live counter or histogram, besides being stored."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator
from pydantic import Field as Option

from exporter.config.fields import Name
from exporter.config.model import Options
from exporter.ingest.posted.fields import Field, Shape, is_amount, is_number
from exporter.metrics.catalogue import Metric
from exporter.metrics.labels import OTHER, Places
from exporter.metrics.store import DROPPED, Store

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
MOST_SERIES = 1000
"""Label sets of one event."""
_TAKEN = ("le", "job", "instance", "type", "env", "service")
"""Labels that Prometheus or the rules of this project have taken."""


def _label(name: str) -> str:
    if name in _TAKEN:
        raise ValueError(f"expected a label other than {', '.join(_TAKEN)}")
    return name


def _ascending(bounds: list[float]) -> list[float]:
    if not bounds or bounds != sorted(set(bounds)):
        raise ValueError("expected upper bounds in ascending order")
    return bounds


class Cap(Options):
    """Values that are not known beforehand: so many have a place, first come."""

    cap: int = Option(20, ge=1, le=200)
    """How many."""


class DeclaredEvent(Options):
    """An event of your own: what it counts, and by which of its data."""

    help: str = "Events that were accepted; counted at every request."
    """What the metric says of itself."""
    labels: dict[Annotated[Name, AfterValidator(_label)], list[str] | Cap] = Option(default_factory=dict)
    """Keys of the data that become labels, with the values that have a place, or `{cap: 20}`; the rest is `other`."""
    value: str | None = None
    """The key of a number in the data: what is added to the counter, which otherwise counts events, or observed."""
    metric: Literal["counter", "histogram"] = "counter"
    """Whether it becomes chatterfy_event_<name>_total or the histogram chatterfy_event_<name>."""
    buckets: Annotated[list[float], AfterValidator(_ascending)] = Option(list(BUCKETS), max_length=50)
    """The histogram's upper bounds."""

    @model_validator(mode="after")
    def _histogram_has_a_value(self) -> "DeclaredEvent":
        if self.metric == "histogram" and self.value is None:
            raise ValueError("a histogram needs a `value`: the key of a number in the data")
        return self

    @property
    def shape(self) -> Shape:
        """What its data must have."""
        if self.value is None:
            return Shape({})
        histogram = self.metric == "histogram"
        number = Field(is_number, "a number") if histogram else Field(is_amount, "a number of at least 0")
        return Shape({self.value: number})


class LiveEvent:
    """The metric of a declared event."""

    def __init__(self, name: str, declared: DeclaredEvent, store: Store) -> None:
        histogram = declared.metric == "histogram"
        self.metric = Metric(
            f"chatterfy_event_{name}" + "_total" * (not histogram),
            declared.metric,
            declared.help,
            tuple(declared.labels),
            tuple(declared.buckets) if histogram else (),
            listed=False,
        )
        self._store = store
        self._value = declared.value
        self._places = [
            (key, Places(store, (), values.cap) if isinstance(values, Cap) else Places(store, values))
            for key, values in declared.labels.items()
        ]
        self._seen: set[tuple[str, ...]] = set()
        if not declared.labels and not histogram:
            store.add(self.metric, amount=0)

    def count(self, data: Mapping[str, Any]) -> None:
        """Counts one event."""
        labels = tuple([places.value(self.metric, _text(data.get(key))) for key, places in self._places])
        if labels not in self._seen:
            if len(self._seen) >= MOST_SERIES:
                self._store.add(DROPPED, self.metric.name)
                labels = (OTHER,) * len(labels)
            self._seen.add(labels)
        if self.metric.kind == "histogram":
            self._store.observe(self.metric, float(data[str(self._value)]), *labels)
        else:
            self._store.add(self.metric, *labels, amount=float(data[self._value]) if self._value else 1)


def _text(value: object) -> str:
    """A label's text: also of whole numbers, true and false."""
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, int) else ""
