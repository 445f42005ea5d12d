"""The command `daily`: past days, counted anew."""

import asyncio
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click

from exporter.business.daily import Daily
from exporter.cli import database
from exporter.cli.options import Field, configured
from exporter.clock import Clock, SystemClock
from exporter.errors import ExporterError, Failed
from exporter.metrics.store import Store
from exporter.settings import Settings, load


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"expected a day such as 2026-01-31, got {text!r}") from None


_DAY = Field("day", _day)


@click.command("daily")
@configured
@click.option("--date", "day", type=_DAY, help="The day to count, e.g. 2026-01-31.")
@click.option("--from", "first", type=_DAY, help="The first day to count.")
@click.option("--to", "last", type=_DAY, help="The last day to count.")
def command(path: Path | None, day: date | None, first: date | None, last: date | None) -> None:
    """Count past days into the app's table of daily metrics.

    Days that were counted before are counted anew. Needs the section `daily`, whether or not the job is enabled.
    """
    begin, end = day or first, day or last
    if begin is None or end is None or (day and (first or last)):
        raise click.UsageError("expected --date, or --from and --to")
    settings = load(path, os.environ)
    with click.progressbar(length=max(1, (end - begin).days + 1), item_show_func=str, label="days") as bar:
        asyncio.run(_count(settings, begin, end, SystemClock(), lambda done: bar.update(1, done)))
    click.echo(f"counted: {begin} to {end}")


async def _count(settings: Settings, first: date, last: date, clock: Clock, progress: Callable[[date], None]) -> None:
    """Counts the days from `first` to `last` anew, and tells each that is done. Raises ExporterError."""
    options = database.daily(settings)
    async with database.pool(options.url or database.options(settings).url, clock) as pool:
        job = Daily(options, database.tables(settings), pool, clock, Store(1))
        try:
            await database.reach(pool)
            await job.backfill(first, last, lambda day, _: progress(day))
        except Failed as failure:
            raise ExporterError(settings.redact(f"daily: {failure}")) from failure
