"""What the counters have closed, kept in SQLite: one row for each query, written whole."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from exporter.errors import ExporterError
from exporter.tools import OneByOne

Key = tuple[str, ...]
"""A series of a query: its label values, then the name of the value column (a bucket's number for a histogram)."""

Totals = dict[Key, Decimal]

OLDER = date.min
"""Stands for all days before those that are kept apart."""


@dataclass
class Closed:
    """The state of one query: everything before `horizon` is closed.

    `days` has the closed totals by UTC day, those older than a week under OLDER. `shown` is what the page last had, and
    `offset` what is added so that it never goes down.
    """

    horizon: datetime | None = None
    since: datetime | None = None
    """When counting began, where what was before is left out."""
    days: dict[date, Totals] = field(default_factory=dict)
    shown: Totals = field(default_factory=dict)
    offset: Totals = field(default_factory=dict)

    def copy(self) -> "Closed":
        """The same, to be changed apart."""
        days = {day: dict(totals) for day, totals in self.days.items()}
        return Closed(self.horizon, self.since, days, dict(self.shown), dict(self.offset))

    def total(self) -> Totals:
        """The closed totals of all days."""
        sums: Totals = {}
        for totals in self.days.values():
            merge(sums, totals)
        return sums

    def add(self, day: date, totals: Mapping[Key, Decimal]) -> None:
        """Adds what was closed on a day."""
        merge(self.days.setdefault(day, {}), totals)

    def fold(self, first: date) -> None:
        """Puts the days before `first` together."""
        for day in [day for day in self.days if OLDER < day < first]:
            self.add(OLDER, self.days.pop(day))

    def dump(self) -> str:
        """As JSON; numbers as text, so that they come back exactly."""
        return json.dumps(
            {
                "horizon": self.horizon and self.horizon.isoformat(),
                "since": self.since and self.since.isoformat(),
                "days": {day.isoformat(): _dumped(totals) for day, totals in self.days.items()},
                "shown": _dumped(self.shown),
                "offset": _dumped(self.offset),
            }
        )

    @classmethod
    def load(cls, text: str) -> "Closed":
        """From JSON as `dump` writes it."""
        data = json.loads(text)
        return cls(
            data["horizon"] and datetime.fromisoformat(data["horizon"]),
            data["since"] and datetime.fromisoformat(data["since"]),
            {date.fromisoformat(day): _loaded(totals) for day, totals in data["days"].items()},
            _loaded(data["shown"]),
            _loaded(data["offset"]),
        )


def merge(into: Totals, totals: Mapping[Key, Decimal]) -> None:
    """Adds totals to others, key by key."""
    for key, value in totals.items():
        into[key] = into.get(key, Decimal(0)) + value


class StateFile:
    """The SQLite file. Every write is one transaction: a kill at any point leaves the state before it or after it."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS closed (query TEXT PRIMARY KEY, meaning TEXT, state TEXT)"
            )
        except sqlite3.Error as error:
            raise ExporterError(f"state.path: {path} cannot be used: {error}") from error
        self._calls = OneByOne("state")

    async def load(self, query: str, meaning: str) -> Closed:
        """The query's state; a new one where there is none, or where another statement (`meaning`) counted it."""
        rows = await self._run("SELECT state FROM closed WHERE query = ? AND meaning = ?", query, meaning)
        return Closed.load(rows[0][0]) if rows else Closed()

    async def save(self, query: str, meaning: str, closed: Closed) -> None:
        """Keeps the query's state. Raises sqlite3.Error, with the old state still there, when it cannot be written."""
        await self._run("INSERT OR REPLACE INTO closed VALUES (?, ?, ?)", query, meaning, closed.dump())

    async def close(self) -> None:
        """Closes the file, after what is under way."""
        await self._calls.run(self._connection.close)

    async def _run(self, sql: str, *values: str) -> list[tuple[str]]:
        return await self._calls.run(lambda: self._connection.execute(sql, values).fetchall())


def _dumped(totals: Totals) -> list[tuple[list[str], str]]:
    return [(list(key), str(value)) for key, value in totals.items()]


def _loaded(pairs: list[tuple[list[str], str]]) -> Totals:
    return {tuple(key): Decimal(value) for key, value in pairs}
