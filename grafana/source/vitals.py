"""Web vitals: what each is, and from where on it is no longer good, and poor (https://web.dev/articles/vitals)."""

from collections.abc import Mapping
from typing import NamedTuple

from grafana.source.facade import RED, Limit


class Vital(NamedTuple):
    """One of those that Google judges pages by, at the 75th percentile of their loads."""

    title: str
    about: str
    metric: str
    unit: str
    good: float
    poor: float

    @property
    def limits(self) -> list[Limit]:
        """Orange where it is no longer good, red where it is poor, of which an alert tells."""
        return [Limit(self.good), Limit(self.poor, "WebVitalsPoor", RED)]

    @property
    def words(self) -> str:
        """The limits, for people."""
        unit = "" if self.unit == "none" else f" {self.unit}"
        return f"Up to {self.good:g}{unit} is good, above {self.poor:g}{unit} is poor."


VITALS: Mapping[str, Vital] = {
    "LCP": Vital(
        "Page load",
        "How long it takes until the largest thing on a page is there (LCP).",
        "chatterfy_web_vital_seconds",
        "s",
        2.5,
        4.0,
    ),
    "INP": Vital(
        "Reaction",
        "How long a page takes to react to a click or a key (INP).",
        "chatterfy_web_vital_seconds",
        "s",
        0.2,
        0.5,
    ),
    "CLS": Vital(
        "Layout shift",
        "How far a page's content jumps while people look at it (CLS).",
        "chatterfy_web_vital_score",
        "none",
        0.1,
        0.25,
    ),
}
BY_PAGE = "environment_page_vital:chatterfy_web_vitals:p75_rate1h"
