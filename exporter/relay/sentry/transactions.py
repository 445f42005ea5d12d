"""Transactions, and the spans that newer SDKs send in their place: how many, how slow, how many failed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from exporter.metrics.catalogue import Metric
from exporter.metrics.labels import LONGEST, Places
from exporter.metrics.store import Store
from exporter.relay.sentry.payloads import entries, inside

DURATION = Metric(
    "chatterfy_sentry_transaction_duration_seconds",
    "histogram",
    "How long transactions (segment spans) took, of those that the SDKs sample; observed when they come.",
    ("project", "transaction"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0),
)
ERRORS = Metric(
    "chatterfy_sentry_transaction_errors_total",
    "counter",
    "Transactions (segment spans) that failed, of those that the SDKs sample; counted when they come.",
    ("project", "transaction"),
)

_FINE = ("ok", "cancelled", "unknown", "unset")
"""What Sentry's own failure rate does not take for a failure; a missing status is none either."""
_LONGEST_SECONDS = 86_400.0


class Transactions:
    """Counts transactions by their names, as `normalise` makes them: ids must not be part of a label.

    `places` are those of each project's names.
    """

    def __init__(self, store: Store, places: Mapping[str, Places], normalise: Callable[[str], str]) -> None:
        self._store = store
        self._places = places
        self._normalise = normalise

    def transaction(self, project: str, payload: Mapping[str, Any]) -> None:
        """Counts a transaction."""
        status = inside(payload, "contexts", "trace", "status")
        start, end = _seconds(payload.get("start_timestamp")), _seconds(payload.get("timestamp"))
        self._count(project, payload.get("transaction"), start, end, failed=status is not None and status not in _FINE)

    def spans(self, project: str, payload: Mapping[str, Any]) -> None:
        """Counts those of a batch of spans that are a whole segment: a request, a job, a page's load."""
        for span in entries(payload, "items"):
            if span.get("is_segment") is True:
                start, end = _seconds(span.get("start_timestamp")), _seconds(span.get("end_timestamp"))
                self._count(project, span.get("name"), start, end, failed=span.get("status") == "error")

    def _count(self, project: str, name: object, start: float | None, end: float | None, *, failed: bool) -> None:
        if start is None or end is None or not 0 <= end - start <= _LONGEST_SECONDS:
            return
        name = self._normalise(name[:LONGEST]) if isinstance(name, str) else name
        label = self._places[project].value(DURATION, name)
        self._store.observe(DURATION, end - start, project, label)
        self._store.add(ERRORS, project, label, amount=int(failed))


def _seconds(moment: object) -> float | None:
    """Seconds since 1970 of a number or of ISO 8601; None for what is neither."""
    if isinstance(moment, int | float):
        return float(moment) if abs(moment) < 1e12 else None
    try:
        return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else None
    except (ValueError, OverflowError):
        return None
