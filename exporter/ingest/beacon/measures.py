"""What browsers measured, as metrics; numbers that cannot be are left out, and that is counted too."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from exporter.ingest.beacon.models import CHAT, Models
from exporter.ingest.beacon.pages import Pages
from exporter.ingest.posted import Field, Malformed, Shape, is_number
from exporter.metrics.catalogue import Metric
from exporter.metrics.labels import OTHER
from exporter.metrics.store import Store

VITAL_SECONDS = Metric(
    "chatterfy_web_vital_seconds",
    "histogram",
    "Web vitals that are times (LCP, INP, FCP, TTFB), one of each for a page that was loaded; observed when browsers"
    " send them.",
    ("vital", "page"),
    # With the bounds of what counts as good and as poor: TTFB 0.8 1.8, FCP 1.8 3, LCP 2.5 4, INP 0.2 0.5.
    (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 1.8, 2.5, 3.0, 4.0, 6.0, 10.0, 30.0),
)
VITAL_SCORE = Metric(
    "chatterfy_web_vital_score",
    "histogram",
    "Web vitals without a unit (CLS: how far the page's content jumped), one for a page that was loaded; observed when"
    " browsers send them.",
    ("vital", "page"),
    (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0),
)
IGNORED = Metric(
    "chatterfy_beacon_ignored_total",
    "counter",
    "Measurements of browsers that were left out: implausible ones, further reports of the same one (repeated), and"
    " unknown kinds; counted when they come.",
    ("measure", "reason"),
)

TIMES = ("LCP", "INP", "FCP", "TTFB")
SCORE = "CLS"
CHAT_TIME = "chat_response_time"
"""The name that the app gave its own event."""
MOST: Mapping[str, float] = {**dict.fromkeys(TIMES, 300_000.0), SCORE: 100.0, CHAT_TIME: 600_000.0}
"""The largest plausible value of each: milliseconds, but for CLS. A laptop that slept says more than that."""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_SHAPE = Shape(
    {
        "name": Field(_is_text, f"one of {', '.join((*TIMES, SCORE, CHAT_TIME))}"),
        "value": Field(is_number, "a number"),
        "delta": Field(is_number, "a number", required=False),
        **{name: Field(_is_text, "text", required=False) for name in ("page", "path", "navigationURL")},
        **{name: Field(_is_text, "text", required=False) for name in ("provider", "model")},
    }
)


class Measured(NamedTuple):
    """A measurement: its name, its value, and all that was posted."""

    name: str
    value: float
    item: Mapping[str, Any]


class Measures:
    """Reads measurements, and counts them; belongs to the event loop."""

    def __init__(self, store: Store, pages: Pages, models: Models) -> None:
        self._store = store
        self._pages = pages
        self._models = models
        store.add(IGNORED, OTHER, "unknown", amount=0)
        for name in MOST:
            for reason in ("implausible", "repeated"):
                store.add(IGNORED, name, reason, amount=0)

    def read(self, item: object) -> Measured:
        """The measurement; it may be a metric of the package web-vitals as it is. Raises Malformed."""
        if not isinstance(item, dict):
            raise Malformed("", "expected an object")
        _SHAPE.check(item)
        return Measured(item["name"], float(item["value"]), item)

    def count(self, measured: Measured) -> None:
        """Observes it, or counts why not."""
        name, value, item = measured
        if name not in MOST:
            # Another version of the package has others; that is no reason to refuse what came with it.
            self._store.add(IGNORED, OTHER, "unknown")
        elif not 0 <= value <= MOST[name]:
            self._store.add(IGNORED, name, "implausible")
        elif item.get("delta") not in (None, item["value"]):
            # web-vitals tells a metric again when it has grown; a histogram has one observation for each load.
            self._store.add(IGNORED, name, "repeated")
        elif name == CHAT_TIME:
            self._store.observe(CHAT, value / 1000, *self._models.labels(item.get("provider"), item.get("model")))
        elif name == SCORE:
            self._store.observe(VITAL_SCORE, value, name, self._pages.value(VITAL_SCORE, _page(item)))
        else:
            self._store.observe(VITAL_SECONDS, value / 1000, name, self._pages.value(VITAL_SECONDS, _page(item)))


def _page(item: Mapping[str, Any]) -> str:
    """The page as the app named it, else its path, else the address that web-vitals has since version 6."""
    return item.get("page") or item.get("path") or item.get("navigationURL") or ""
