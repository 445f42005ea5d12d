"""At which moments there are samples: near the end many, long ago few."""

from functools import cached_property
from itertools import pairwise

from grafana.past.story import DAY, DAYS, HOUR, MINUTE, Story

_WEEK = 7 * DAY + 4 * HOUR
"""A panel of seven days takes rates over five minutes: two samples, at least."""

LONG_AGO = 288
"""Just less than the five minutes for which Prometheus takes a sample for the latest one."""

Tiers = tuple[tuple[int, int], ...]
"""How long before the end each tier begins, and the seconds from one sample to the next in it."""

COUNTED: Tiers = ((DAYS * DAY, LONG_AGO), (_WEEK, 150), (26 * HOUR, 30), (7 * HOUR, 15))
"""What users do."""
TIMED: Tiers = COUNTED[:-1]
"""How long the API took, in a hundred buckets and more."""
PLAIN: Tiers = ((DAYS * DAY, LONG_AGO), (26 * HOUR, 30))
"""What says little more each quarter of a minute: gauges, and counts of the exporter's own."""
RECENT: Tiers = ((3 * DAY + 4 * HOUR, 120), (26 * HOUR, 30))
"""What has many series."""
QUIET: Tiers = ((2 * DAY, LONG_AGO), (26 * HOUR, 60), (7 * HOUR, 30))
"""What has many series that seldom move."""
STILL: Tiers = ((2 * DAY, 240), (7 * HOUR, 30))
"""What has many series that never move."""
EVEN: Tiers = ((DAYS * DAY, MINUTE),)
"""What is averaged over weeks: there each sample has to weigh the same."""
EVALUATIONS: Tiers = ((DAYS * DAY, LONG_AGO), (26 * HOUR, 60), (7 * HOUR, 15))
"""When rules are evaluated. No gauge that says how old something is may be read more seldom than that."""

COSTLY: Tiers = ((3 * DAY + 4 * HOUR, 240), (26 * HOUR, 60), (7 * HOUR, 30))
"""When rules are evaluated that read a hundred series, or thousands of samples."""


class Grid:
    """The moments of some tiers, up to the story's end and with it."""

    def __init__(self, story: Story, tiers: Tiers) -> None:
        ends = [story.end - back for back, _ in tiers]
        bounds = [*ends, story.end + tiers[-1][1]]
        spans = zip(pairwise(bounds), tiers, strict=True)
        self.spans = [(begin, end - step, step) for (begin, end), (_, step) in spans]
        """Each tier's first moment, its last one, and the seconds between."""
        self.times = [time for begin, last, step in self.spans for time in range(begin, last + 1, step)]

    @cached_property
    def texts(self) -> list[str]:
        """The moments as they are written."""
        return [f" {time}\n" for time in self.times]

    @cached_property
    def steps(self) -> list[int]:
        """Seconds since the moment before; the first one has as many as the second."""
        steps = [after - before for before, after in pairwise(self.times)]
        return [steps[0], *steps]
