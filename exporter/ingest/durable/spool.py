"""The spool: rows on this machine's disk, in the order in which they came, until the database has them."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

from exporter.errors import ExporterError
from exporter.limits import Row

PAGE = 4096
"""Bytes of a page of the file."""
SPARE = 256
"""Pages beyond the limit that taking rows away may need: laying one aside must not fail because the file is full."""

_SETTINGS = f"""
PRAGMA page_size = {PAGE};
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at REAL NOT NULL,
    row TEXT NOT NULL,
    UNIQUE (target, id)
);
CREATE INDEX IF NOT EXISTS waiting_created_at ON waiting (target, created_at);
CREATE TABLE IF NOT EXISTS dead (number INTEGER PRIMARY KEY, target TEXT, row TEXT, why TEXT, buried_at REAL);
"""
_ADD = "INSERT OR IGNORE INTO waiting (target, id, created_at, row) VALUES (?, ?, ?, ?)"
_BURY = "INSERT INTO dead VALUES (?, ?, ?, ?, ?)"


def moment(row: Row) -> float:
    """When the row was made, in seconds since 1970."""
    return cast("float", row["created_at"])


class Waiting(NamedTuple):
    """A row that waits: its number in the order of coming, the logical table, and the row."""

    number: int
    table: str
    row: Row


class Spool:
    """The SQLite file. All methods block; what has returned is on the disk, and a kill at any point loses none of it.

    Every method but `close` may raise sqlite3.Error, and then has changed nothing.
    """

    def __init__(self, path: Path, limit: int) -> None:
        """Raises ExporterError where the file cannot be had, or another exporter has it."""
        self.limit = limit
        try:
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
            self._connection.executescript(_SETTINGS)
            tables = self._connection.execute("SELECT DISTINCT target FROM waiting").fetchall()
            self.oldest: dict[str, float] = self._oldest(table for (table,) in tables)
            """When the oldest row of each table that waits was made, in seconds since 1970."""
            self.rows = int(self._one("SELECT count(*) FROM waiting") or 0)
            self.dead = int(self._one("SELECT count(*) FROM dead") or 0)
            self.bytes = self._used()
        except (OSError, sqlite3.Error) as error:
            raise ExporterError(f"ingest.spool.path: {path} cannot be used: {error}") from error

    def append(self, rows: Iterable[tuple[str, Row]]) -> list[bool]:
        """Adds rows of logical tables; tells of each whether it is new, or was waiting already."""
        values = [(table, row["id"], moment(row), json.dumps(row)) for table, row in rows]
        with self._transaction(0):
            new = [self._connection.execute(_ADD, value).rowcount == 1 for value in values]
        self.rows += sum(new)
        for (table, _, created_at, _), added in zip(values, new, strict=True):
            if added:
                self.oldest[table] = min(created_at, self.oldest.get(table, created_at))
        return new

    def first(self, count: int) -> list[Waiting]:
        """The rows that have waited longest, as many as that at most."""
        found = self._connection.execute("SELECT number, target, row FROM waiting ORDER BY number LIMIT ?", (count,))
        return [Waiting(number, table, json.loads(row)) for number, table, row in found]

    def remove(self, last: int, refused: Sequence[tuple[Waiting, str]], now: float) -> None:
        """Takes away the rows up to the number `last`; those that were refused, and why, are laid aside for people."""
        buried = [(waiting.number, waiting.table, json.dumps(waiting.row), why, now) for waiting, why in refused]
        with self._transaction(SPARE):
            gone = self._connection.execute("DELETE FROM waiting WHERE number <= ?", (last,)).rowcount
            self._connection.executemany(_BURY, buried)
        self.rows -= gone
        self.dead += len(refused)
        self.oldest = self._oldest(list(self.oldest))
        if not self.rows:
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()
            self.bytes = self._used()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _one(self, sql: str, *values: str) -> float | None:
        found: tuple[float | None] = self._connection.execute(sql, values).fetchone()
        return found[0]

    def _used(self) -> int:
        return PAGE * int((self._one("PRAGMA page_count") or 0) - (self._one("PRAGMA freelist_count") or 0))

    def _oldest(self, tables: Iterable[str]) -> dict[str, float]:
        # One look for each table at the end of an index: a GROUP BY would read all of it.
        lowest = {table: self._one("SELECT min(created_at) FROM waiting WHERE target = ?", table) for table in tables}
        return {table: oldest for table, oldest in lowest.items() if oldest is not None}

    @contextmanager
    def _transaction(self, spare: int) -> Iterator[None]:
        self._connection.execute(f"PRAGMA max_page_count = {self.limit // PAGE + spare}")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._connection.rollback()  # does nothing where SQLite itself has done so
            raise
        self.bytes = self._used()
