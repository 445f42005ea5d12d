"""Deploys that a pipeline told of, and whether those heard who are to be told."""

from bisect import bisect_right
from collections.abc import Sequence

from exporter.errors import PROBE_REASONS
from grafana.past.book import ENVIRONMENT, Book
from grafana.past.grid import PLAIN, STILL, Grid
from grafana.past.story import HOUR, MINUTE, Story

AHEAD = 19 * HOUR
"""How long before production a version comes into staging."""
RECEIVERS = ("slack", "grafana")


def write_deploys(book: Book, story: Story) -> None:
    """All of it; the last one failed at first, and Slack was busy once."""
    grid, (*_, last) = Grid(story, PLAIN), story.deploys.values()
    failed = last - 26 * MINUTE
    staged = {version: max(story.start, moment - AHEAD) for version, moment in story.deploys.items()}
    everything = {ENVIRONMENT: story.deploys, "staging": staged}
    for environment, versions in everything.items():
        for version, moment in versions.items():
            shown = [moment if moment <= time and _same(story, moment, time) else None for time in grid.times]
            book.ours("chatterfy_deploy_timestamp_seconds", (version, environment), grid, shown)
        _count(book, story, "chatterfy_deploys_total", (environment, "succeeded"), sorted(versions.values()))
        broken = [failed] if environment == ENVIRONMENT else []
        _count(book, story, "chatterfy_deploys_total", (environment, "failed"), broken)
    told = sorted([failed, *(moment for versions in everything.values() for moment in versions.values())])
    for receiver in RECEIVERS:
        _count(book, story, "chatterfy_deploy_notices_total", (receiver,), told)
        for reason in PROBE_REASONS:
            busy = [last] if (receiver, reason) == ("slack", "quota") else []
            _count(book, story, "chatterfy_deploy_notice_failures_total", (receiver, reason), busy)


def _same(story: Story, moment: int, time: int) -> bool:
    """Whether the process of then is still there: what it knew of deploys went with it."""
    return (moment >= story.deploy) == (time >= story.deploy)


def _count(book: Book, story: Story, name: str, labels: tuple[str, ...], moments: Sequence[int]) -> None:
    """What this process has counted."""
    own = [moment for moment in moments if moment >= story.deploy]
    grid = Grid(story, PLAIN if own else STILL)
    first = bisect_right(grid.times, story.deploy)
    counts = [None if place < first else bisect_right(own, time) for place, time in enumerate(grid.times)]
    book.ours(name, labels, grid, counts)
