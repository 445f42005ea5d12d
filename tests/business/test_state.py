"""What the counters keep: exact, whole, and small."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from exporter.business.state import OLDER, Closed, StateFile
from exporter.errors import ExporterError

pytestmark = pytest.mark.fast

KEY = ("openai", "m", "value")


def closed() -> Closed:
    state = Closed(datetime(2026, 1, 9, 12, tzinfo=UTC))
    state.add(OLDER, {KEY: Decimal(100)})
    for day in range(1, 10):
        state.add(date(2026, 1, day), {KEY: Decimal("0.1"), ("other", "other", "value"): Decimal(1)})
    return state


def test_days_older_than_a_week_are_put_together_and_nothing_is_lost():
    state = closed()
    before = state.total()

    state.fold(date(2026, 1, 3))

    assert sorted(state.days) == [OLDER, *(date(2026, 1, day) for day in range(3, 10))]
    assert state.days[OLDER][KEY] == Decimal("100.2")
    assert state.total() == before


async def test_it_comes_back_exactly_as_it_was_written(tmp_path):
    state = closed()
    state.since = datetime(2025, 1, 1, tzinfo=UTC)
    state.shown, state.offset = state.total(), {KEY: Decimal("3.000000001")}
    file = StateFile(tmp_path / "state.sqlite")

    await file.save("messages", "as counted", state)
    back = await file.load("messages", "as counted")
    other = await file.load("messages", "counted otherwise")
    await file.close()

    assert back == state
    assert other == Closed()


async def test_what_is_being_written_is_written_though_whoever_waits_for_it_is_cancelled_and_the_file_closed(tmp_path):
    path = tmp_path / "state.sqlite"
    file = StateFile(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        saving = asyncio.create_task(file.save("messages", "as counted", closed()))
        while "state" not in {thread.name for thread in threading.enumerate()} and not saving.done():
            await asyncio.sleep(0)
        saving.cancel()
        closing_it = asyncio.create_task(file.close())
        await asyncio.wait([saving])
        other.execute("ROLLBACK")
        await closing_it

    again = StateFile(path)
    kept = await again.load("messages", "as counted")
    await again.close()
    assert saving.cancelled()
    assert kept == closed()


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "state.sqlite").write_text("not a database, and long enough to be seen as none" * 20)

    with pytest.raises(ExporterError, match=r"state\.path: .*state\.sqlite cannot be used: file is not a database"):
        StateFile(tmp_path / "state.sqlite")
