"""Thirty days of history, written by the database itself and the same each time but for when it ends."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib.resources import files

from asyncpg import Connection
from asyncpg.pool import PoolConnectionProxy

from exporter.demo.catalogue import ENDPOINTS, FILE_TYPES, MODELS, PLANS, REASONS, SOURCES
from exporter.demo.rhythm import rhythm, size

Progress = Callable[[str, float], None]
"""Told what is being done and which share of the work, 0 to 1, is behind."""

DAYS_OF_PEOPLE = 120
"""The product is older than its 30 days of messages and requests: else all its users would sign up on the first."""

STEP_SECONDS = 300.0

_PICKS = {
    "source_pick": [(source,) for source in SOURCES],
    "reason_pick": [(reason,) for reason in REASONS],
    "file_pick": [(file_type,) for file_type in FILE_TYPES],
    "plan_pick": PLANS,
    "model_pick": MODELS,
    "endpoint_pick": ENDPOINTS,
}


async def fill(connection: "Connection | PoolConnectionProxy", until: datetime, progress: Progress) -> None:
    """Fills the empty tables up to `until` (UTC, without a zone), in the caller's transaction.

    That takes about three seconds; a slow machine may have a hundred times that.
    """
    prepare, *steps = sorted(files(__package__).joinpath("sql/history").iterdir(), key=lambda file: file.name)
    await connection.execute(prepare.read_text())
    await connection.copy_records_to_table("hour", records=_hours(until))
    for table, picks in _PICKS.items():
        slots = [(slot, *pick) for slot, pick in enumerate(picks)]
        await connection.copy_records_to_table(table, records=slots)
    for done, step in enumerate(steps):
        script = step.read_text()
        progress(f"writing history: {script.splitlines()[0].removeprefix('-- ')}", done / len(steps))
        await connection.execute(script, timeout=STEP_SECONDS)


def _hours(until: datetime) -> Iterator[tuple[datetime, float, float]]:
    """Each hour's start, how busy it is, and how many days ago it began."""
    for hours_ago in range(24 * DAYS_OF_PEOPLE, 0, -1):
        start = until - timedelta(hours=hours_ago)
        days_ago = hours_ago / 24
        yield start, rhythm(start) * size(days_ago), days_ago
