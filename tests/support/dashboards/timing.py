"""Which moments Grafana asks for: step, range and the variables that go with them.

As its documentation has it (https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/): the
step is what the panel's width allows, rounded, and at least its interval or the scrape interval; both ends of the range
go down to whole steps; `$__rate_interval` is the step and a scrape, and at least four scrapes.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from tests.support.dashboards.files import Panel, Screen
from tests.support.detection import seconds

SCRAPE = 15.0
WIDTH = 1800
"""Points that fit on 24 columns of a usual screen."""
STEPS = (
    0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600,
    7200, 10800, 21600, 43200, 86400, 604800, 2592000,
)  # fmt: skip


@dataclass(frozen=True)
class Moments:
    """What is asked for; `start` is `end` where only the last value is."""

    start: float
    end: float
    step: float
    last: bool
    range: float

    @property
    def values(self) -> dict[str, str]:
        """What variables of time stand for."""
        rate = max(self.step + SCRAPE, 4 * SCRAPE)
        return {
            "__interval": _text(self.step),
            "__interval_ms": f"{self.step * 1000:.0f}",
            "__rate_interval": _text(rate),
            "__rate_interval_ms": f"{rate * 1000:.0f}",
            "__range": f"{self.range:.0f}s",
            "__range_s": f"{self.range:.0f}",
            "__range_ms": f"{self.range * 1000:.0f}",
        }


def step(length: float, points: float, least: float) -> float:
    """The usual step that is nearest to what fits."""
    wanted = length / points
    nearest = next((low for low, high in pairwise(STEPS) if wanted < (low + high) / 2), STEPS[-1])
    return max(nearest, least)


def moments(screen: Screen, panel: Panel, end: float, *, last: bool) -> Moments:
    """Of the dashboard's own range, which ends at `end`."""
    length = seconds(screen.raw["time"]["from"].removeprefix("now-"))
    points = panel.raw.get("maxDataPoints") or WIDTH * panel.raw["gridPos"]["w"] / 24
    each = step(length, points, max(SCRAPE, seconds(panel.raw.get("interval") or "0s")))
    if last:
        return Moments(end, end, each, last=True, range=length)
    down = [math.floor(moment / each) * each for moment in (end - length, end)]
    return Moments(down[0], down[1], each, last=False, range=length)


def _text(duration: float) -> str:
    return f"{duration * 1000:.0f}ms" if duration < 1 else f"{duration:.0f}s"
