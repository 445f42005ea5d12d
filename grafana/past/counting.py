"""What the exporter's own process counts: by chance, and anew from the deploy on."""

from collections.abc import Callable, Sequence

from grafana.past.chance import dice, poisson
from grafana.past.grid import QUIET, STILL, Grid, Tiers
from grafana.past.story import DAY, Story

Rate = Callable[[int], float]
"""How many are to be expected a second."""


class Counting:
    """Counts at the moments of one grid."""

    def __init__(self, story: Story, tiers: Tiers = QUIET) -> None:
        self.story = story
        self.grid = Grid(story, tiers)
        self.still = Grid(story, STILL)

    def added(self, pace: Rate, *name: object) -> list[int]:
        """What came since the moment before; with the first one all that came since the process began."""
        grid, random = self.grid, dice(*name)
        counts = [poisson(random, pace(time) * step) for time, step in zip(grid.times, grid.steps, strict=True)]
        counts[0] += round(pace(grid.times[0]) * (grid.times[0] - self._since(grid.times[0])))
        return counts

    def totals(self, added: Sequence[int]) -> list[int]:
        """The counter that shows this."""
        values, total, deploy = [], 0, self.story.deploy
        before = self.grid.times[0]
        for time, count in zip(self.grid.times, added, strict=True):
            total = count if before < deploy <= time else total + count
            values.append(total)
            before = time
        return values

    def counted(self, pace: Rate, *name: object) -> list[int]:
        """A counter."""
        return self.totals(self.added(pace, *name))

    @property
    def zeros(self) -> list[int]:
        """A counter of what has not happened, on the grid `still`."""
        return [0] * len(self.still.times)

    def _since(self, time: int) -> int:
        return self.story.deploy if time >= self.story.deploy else self.story.start - 21 * DAY
