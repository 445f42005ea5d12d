"""The command `query`: one query, and all there is to tell of it."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import click

from exporter.business.horizon import SNAPSHOT
from exporter.business.query import Query
from exporter.business.values import totals
from exporter.cli import database
from exporter.cli.options import DURATION, configured
from exporter.clock import Clock, SystemClock
from exporter.errors import ConfigError, Problem
from exporter.jobs import Task
from exporter.metrics.store import Store
from exporter.schedule import Outcome, attempt
from exporter.settings import Settings, load
from exporter.tables import Window
from exporter.tools.sql import Pool

SHOWN_ROWS = 100
"""Rows of a query that are printed; the rest is counted."""


@click.command("query")
@configured
@click.option(
    "--since", type=DURATION, help="How far back a counter or histogram looks; 1h, or its `settle` where that is more."
)
@click.argument("name")
def command(path: Path | None, since: float | None, name: str) -> None:
    """Run one query now: rows, SQL, plan, time.

    Counters and histograms show what came of late. Nothing is written, neither to the database nor to the state.
    Exits 0 when it succeeds, 1 when it fails, 2 when there is no such query.
    """
    text, success = asyncio.run(_run(load(path, os.environ), name, since, SystemClock()))
    click.echo(text, nl=False)
    sys.exit(0 if success else 1)


async def _run(settings: Settings, name: str, since: float | None, clock: Clock) -> tuple[str, bool]:
    """Runs one query once; returns what there is to tell, and whether it succeeded.

    A counter or histogram looks `since` seconds back. Raises ConfigError for what cannot be run.
    """
    chosen = _chosen(settings.all_queries, name)
    tables = database.tables(settings)
    window = None
    if chosen.growing:
        reach = timedelta(seconds=since) if since else max(timedelta(hours=1), chosen.settle)
        window = Window(*chosen.growing, datetime.fromtimestamp(clock.now(), UTC) - reach)
    elif since:
        raise ConfigError([Problem("", "--since", f"'{name}' is a gauge: it is over all rows, as they are now")])
    every = settings.queries.every.get(name, chosen.header.every)
    trial = _Trial(chosen, chosen.statement(tables, window, settings.queries.rules), min(chosen.timeout, 0.8 * every))
    async with database.pool(database.options(settings).url, clock) as pool:
        outcome = await trial.run(pool, clock)
    return settings.redact(_told(trial, outcome, window)), outcome.reason is None


def _chosen(queries: Iterable[Query], name: str) -> Query:
    known = {query.name: query for query in queries}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(sorted(known))}"
        raise ConfigError([Problem("", "", f"no query named '{name}' ({advice})")])
    return known[name]


@dataclass
class _Trial:
    """One run of a query, and what came of it."""

    query: Query
    statement: str
    seconds: float
    rows: list[tuple[object, ...]] | None = None
    took: float = 0.0
    plan: list[str] = field(default_factory=list)

    async def run(self, pool: Pool, clock: Clock) -> Outcome:
        """Asks for the rows, then for the plan; the outcome is that of the rows."""

        async def rows() -> None:
            await database.reach(pool)
            async with pool.transaction(SNAPSHOT, self.seconds) as connection:
                begin = clock.monotonic()
                self.rows = [tuple(row) for row in await connection.fetch(self.statement)]
                self.took = clock.monotonic() - begin
            totals(self.query, self.rows)

        async def plan() -> None:
            # What took too long is not tried again: then the plan is all that can be told.
            how = "EXPLAIN" if self.rows is None else "EXPLAIN (ANALYZE, BUFFERS)"
            async with pool.transaction(SNAPSHOT, self.seconds) as connection:
                self.plan = [line for (line,) in await connection.fetch(f"{how} {self.statement}")]

        outcome = await self._attempt(rows, clock)
        if outcome.reason in (None, "timeout"):
            await self._attempt(plan, clock)
        return outcome

    async def _attempt(self, work: Callable[[], Awaitable[None]], clock: Clock) -> Outcome:
        every = self.query.header.every
        return await attempt(
            Task(self.query.name, interval=every, timeout=self.seconds, work=work, store=Store(1)), clock
        )


def _told(trial: _Trial, outcome: Outcome, window: Window | None) -> str:
    query = trial.query
    parts = []
    if trial.rows is not None:
        names = (*query.header.labels, *query.columns)
        shown = [_cells(query, row) for row in trial.rows[:SHOWN_ROWS]]
        more = len(trial.rows) - len(shown)
        since = f", of what came since {window.start:%Y-%m-%d %H:%M:%S} UTC" if window and window.start else ""
        count = f"{len(trial.rows)} row{'s' if len(trial.rows) != 1 else ''} in {trial.took * 1000:.2f} ms{since}"
        parts += [_table(names, shown, len(query.header.labels)) + f"... and {more} more\n" * bool(more), f"{count}\n"]
    parts.append(f"-- SQL\n{trial.statement};\n")
    if trial.plan:
        parts.append("\n".join(["-- Plan", *trial.plan, ""]))
    verdict = "succeeded" if outcome.reason is None else f"failed: {outcome.reason}: {outcome.detail}"
    parts.append(f"{query.name} ({query.kind}) {verdict}\n")
    return "\n".join(parts)


def _cells(query: Query, row: Sequence[object]) -> list[str]:
    cells = ["NULL" if value is None else str(value) for value in row]
    if query.kind == "histogram":
        place = len(query.header.labels)
        bounds = [*(f"<= {bound:g}" for bound in query.header.buckets), "more"]
        cells[place] = bounds[int(cells[place])]
    # A value from the database does not get to move the terminal's cursor.
    return [cell if cell.isprintable() else repr(cell) for cell in cells]


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], labels: int) -> str:
    """Labels to the left, values to the right."""
    lines = [names, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    texts = (
        "  ".join(
            cell.ljust(width) if place < labels else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
    return "".join(f"{text.rstrip()}\n" for text in texts)
