"""Label values that come from outside: as many as have a place, and `other` for the rest."""

from collections.abc import Iterable

from exporter.metrics.catalogue import Metric
from exporter.metrics.store import DROPPED, Store

OTHER, UNKNOWN = "other", "unknown"
"""What stands for values that have no place, and for those that are absent."""
LONGEST = 200
"""Characters of a label value; a longer one has no place, and neither has one that cannot be printed."""


class Places:
    """Places for the values of a label: declared ones always have theirs, the rest is first come, up to a cap."""

    def __init__(self, store: Store, declared: Iterable[str] = (), cap: int = 0) -> None:
        self._store = store
        self._known = {*declared, OTHER, UNKNOWN}
        self._left = self._cap = cap

    def value(self, metric: Metric, value: object) -> str:
        """The value itself, `unknown` where it is no text or empty, `other` without a place.

        That is counted as dropped where there is a cap, which is too low then; with declared values alone `other` is
        what was asked for.
        """
        if not isinstance(value, str) or not value:
            return UNKNOWN
        if value in self._known:
            return value
        if not self._cap or len(value) > LONGEST or not value.isprintable():
            return OTHER
        if not self._left:
            self._store.add(DROPPED, metric.name)
            return OTHER
        self._left -= 1
        self._known.add(value)
        return value
