"""The store: the current value of every series, as snapshots that are replaced whole and as live counters."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Hashable, Iterable, Sequence
from itertools import accumulate

from exporter.metrics.catalogue import Buckets, Metric, Sample

DROPPED = Metric(
    "chatterfy_series_dropped_total",
    "counter",
    "Series left off the page because a metric had more than the configured limit, and label values that became "
    "`other` because their cap was reached; counted at every refresh, and when such a value comes.",
    ("metric",),
)

Changes = dict[Hashable, Sequence[Sample]]
"""What changed since the last look: an owner's samples, empty where the owner is gone."""


class _Histogram:
    """A live histogram of one label set."""

    def __init__(self, bounds: int) -> None:
        self.counts = [0.0] * (bounds + 1)
        self.sum = 0.0

    def value(self) -> Buckets:
        return Buckets(tuple(accumulate(self.counts)), self.sum)


class Store:
    """Values by owner. Belongs to the event loop: no method blocks, and none but `replace` costs more than one series.

    An owner is a job's name (a snapshot: `replace`) or one live series (`add`, `observe`).
    """

    def __init__(self, series_per_metric: int) -> None:
        self.series_per_metric = series_per_metric
        self._changes: Changes = {}
        self._counters: dict[tuple[Metric, tuple[str, ...]], float] = {}
        self._histograms: dict[tuple[Metric, tuple[str, ...]], _Histogram] = {}
        self._touched: dict[tuple[Metric, tuple[str, ...]], None] = {}  # a set that keeps its order

    def replace(self, owner: str, samples: Iterable[Sample]) -> None:
        """Replaces all that this owner showed; a series that is not among the samples is gone."""
        kept: list[Sample] = []
        count: Tally[Metric] = Tally()
        for sample in samples:
            count[sample.metric] += 1
            if count[sample.metric] <= self.series_per_metric:
                kept.append(sample)
        for metric, series in count.items():
            if series > self.series_per_metric:
                self.add(DROPPED, metric.name, amount=series - self.series_per_metric)
        self._changes[owner] = kept

    def add(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        """Raises a counter; an amount of 0 makes the series appear, so that its first increase is not lost."""
        key = metric, labels
        self._counters[key] = self._counters.get(key, 0.0) + amount
        self._touched[key] = None

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Adds one observation to a histogram."""
        key = metric, labels
        histogram = self._histograms.get(key)
        if histogram is None:
            histogram = self._histograms[key] = _Histogram(len(metric.buckets))
        histogram.counts[bisect_left(metric.buckets, value)] += 1
        histogram.sum += value
        self._touched[key] = None

    def forget(self, label: str, value: str) -> None:
        """Removes every live series that carries this label value: the thing it spoke of is no longer configured."""
        for table in (self._counters, self._histograms):
            for key in [key for key in table if (label, value) in zip(key[0].labels, key[1], strict=True)]:
                del table[key]
                self._touched[key] = None

    def drop(self, metric: Metric) -> None:
        """Removes every live series of a metric that a configuration has declared and no longer does."""
        for table in (self._counters, self._histograms):
            for key in [key for key in table if key[0] is metric]:
                del table[key]
                self._touched[key] = None

    def changes(self) -> Changes:
        """Hands over what changed since the last call, as values that no longer move."""
        changes, self._changes = self._changes, {}
        touched, self._touched = self._touched, {}
        for key in touched:
            metric, labels = key
            if key in self._counters:
                changes[key] = [Sample(metric, labels, self._counters[key])]
            elif key in self._histograms:
                changes[key] = [Sample(metric, labels, self._histograms[key].value())]
            else:
                changes[key] = []
        return changes
