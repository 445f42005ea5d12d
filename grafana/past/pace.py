"""How busy the product is, by the demo's rhythm and growth, and what the incident does to it."""

from datetime import UTC, datetime
from functools import cached_property

from exporter.demo.rhythm import rhythm, size
from grafana.past.chance import Wave
from grafana.past.grid import COUNTED, Grid
from grafana.past.story import DAY, Story, share, within

REQUESTS = 2.0
"""A second, in an average week at the end. The others follow from it, as in the demo's traffic."""
FAILING, FAILING_IN_INCIDENT = 0.0002, 0.45
"""The share of requests that the API answers with a status of 500 or above."""


class Pace:
    """The story's traffic."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._wave = Wave(0.15, "busy")

    @cached_property
    def grid(self) -> Grid:
        """When the counters of the database are read."""
        return Grid(self.story, COUNTED)

    @cached_property
    def requests(self) -> list[float]:
        """How many requests are to be expected since the moment before, at each moment of the grid."""
        grid = self.grid
        return [REQUESTS * step * self.busy(time) for time, step in zip(grid.times, grid.steps, strict=True)]

    def busy(self, moment: float) -> float:
        """How busy it is, 1.0 in an average week at the end; nothing can be written while the database is down."""
        if within(moment, self.story.down):
            return 0.0
        days_ago = (self.story.end - moment) / DAY
        return rhythm(datetime.fromtimestamp(moment, UTC)) * size(days_ago) * self._wave(moment)

    def waiting(self, moment: float) -> float:
        """The share of requests that wait for a connection to the database."""
        story = self.story
        if within(moment, story.recovery):
            return 0.3 * (1 - share(moment, story.recovery))
        return 0.85 * share(moment, story.climb) if within(moment, story.climb) else 0.0

    def failing(self, moment: float) -> float:
        """The share of requests that fail."""
        return FAILING + (FAILING_IN_INCIDENT - FAILING) * self.waiting(moment) / 0.85
