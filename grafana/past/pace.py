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
LEFT = 0.05
"""The share of requests that come through while the database is down: what they leave waits on the exporter's disk."""


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
        return [
            REQUESTS * step * self.busy(time) + self._drained(time, step)
            for time, step in zip(grid.times, grid.steps, strict=True)
        ]

    def busy(self, moment: float) -> float:
        """How busy the database is; nothing can be written while it is down."""
        return 0.0 if within(moment, self.story.down) else self.wanted(moment)

    def wanted(self, moment: float) -> float:
        """How much users want of the product, 1.0 in an average week at the end."""
        days_ago = (self.story.end - moment) / DAY
        return rhythm(datetime.fromtimestamp(moment, UTC)) * size(days_ago) * self._wave(moment)

    def arriving(self, moment: float) -> float:
        """Requests a second that come through."""
        return REQUESTS * self.wanted(moment) * (LEFT if within(moment, self.story.down) else 1.0)

    def waits(self, moment: float) -> float:
        """How many requests had come by then that wait for the database to be back."""
        begin, end = self.story.down
        came = sum([self.arriving(time) for time in range(begin, int(min(moment, end)))])
        return came * (1 - share(moment, self.story.drain))

    def _drained(self, moment: float, step: float) -> float:
        """Of those that waited, how many came into the database since the moment before."""
        begin, end = self.story.drain
        return self.waits(moment - step) - self.waits(moment) if begin < moment < end + step else 0.0

    def waiting(self, moment: float) -> float:
        """The share of requests that wait for a connection to the database."""
        story = self.story
        if within(moment, story.recovery):
            return 0.3 * (1 - share(moment, story.recovery))
        return 0.85 * share(moment, story.climb) if within(moment, story.climb) else 0.0

    def failing(self, moment: float) -> float:
        """The share of requests that fail."""
        return FAILING + (FAILING_IN_INCIDENT - FAILING) * self.waiting(moment) / 0.85
