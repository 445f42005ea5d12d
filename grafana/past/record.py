"""What the shipped rules would have recorded, and which alerts they would have raised: asked of Prometheus itself."""

import asyncio
from collections.abc import Iterable

from grafana.past.book import Book, series
from grafana.past.grid import COSTLY, EVALUATIONS, EVEN, Grid, Tiers
from grafana.past.rules import Rule
from grafana.past.server import Server
from grafana.past.story import Story

AT_ONCE = 2
MOST = 10_000
"""Prometheus gives no more than 11,000 values for a series at once."""
AVERAGED = {"environment:chatterfy_up:min"}
"""Recorded series that rules take means of over days."""


async def record(server: Server, story: Story, rules: Iterable[Rule], book: Book) -> None:
    """Writes what these rules record; what they read has to be there."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(rule: Rule) -> list[tuple[str, dict[str, str], list[tuple[int, str]]]]:
        async with limit:
            found = await evaluate(server, story, rule)
        return [(rule.record, labels | rule.labels, values) for labels, values in found]

    for task in [asyncio.create_task(one(rule)) for rule in rules]:
        for name, labels, values in await task:
            book.lines(name, labels, values)


async def evaluate(server: Server, story: Story, rule: Rule) -> list[tuple[dict[str, str], list[tuple[int, str]]]]:
    """The rule's series and their values, at the moments of its evaluations, without its own labels."""
    tiers = EVEN if rule.record in AVERAGED else EVALUATIONS
    tiers = COSTLY if _is_costly(rule) else tiers
    found: dict[str, tuple[dict[str, str], list[tuple[int, str]]]] = {}
    for begin, last, step in _spans(story, tiers, rule.interval):
        for result in await server.matrix(rule.expr, begin, last, step):
            labels = {label: value for label, value in result["metric"].items() if label != "__name__"}
            _, values = found.setdefault(series("", labels), (labels, []))
            values += [(int(time), value) for time, value in result["values"]]
    return list(found.values())


def _is_costly(rule: Rule) -> bool:
    """Quantiles are computed from a hundred series, and means of a day from thousands of samples."""
    return bool(rule.record) and (
        "histogram_quantile" in rule.expr or "_over_time(chatterfy_probe_success[1d])" in rule.expr
    )


def _spans(story: Story, tiers: Tiers, interval: int) -> Iterable[tuple[int, int, int]]:
    for begin, last, usual in Grid(story, tiers).spans:
        step = max(usual, interval)
        for first in range(begin, last + 1, step * MOST):
            yield first, min(last, first + step * (MOST - 1)), step
