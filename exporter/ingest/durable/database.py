"""The app's database, as the durable path writes it: each batch is one transaction, with one statement for a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from exporter.clock import Clock
from exporter.errors import Failed
from exporter.ingest.durable.target import Target
from exporter.limits import Row
from exporter.schedule import Outcome, attempt
from exporter.tables import Tables
from exporter.tools.database_url import DatabaseUrl
from exporter.tools.sql import Pool

Batch = Mapping[str, Sequence[Row]]
"""Rows by logical table."""

# A transaction even for one statement: asyncpg prepares what it executes, and pgbouncer may send the two to different
# servers, unless a transaction holds them together.
# Whoever has turned synchronous_commit off has done so for the app's own rows: these are told to be safe.
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
    " SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
)


def by_table(pieces: Iterable[tuple[str, Sequence[Row]]]) -> Batch:
    """Joins pieces of one table, in their order."""
    batch: dict[str, list[Row]] = {}
    for table, rows in pieces:
        batch.setdefault(table, []).extend(rows)
    return batch


_OF_THE_ROW = ("22", "23503", "23505", "23514", "23P01", "44", "54", "P0001")
"""SQLSTATE prefixes of what is wrong with a row itself, and will be so tomorrow: values that their columns do not take,
constraints, limits of indexes, what a trigger raises. A missing column or right is the table's: it can be cured."""

LONGEST_WORDS = 300
"""Characters of the database's words that a sender gets."""


@dataclass(frozen=True)
class Refusal:
    """Why the database refuses a row for good: its SQLSTATE for logs, and its words for whoever sent the row."""

    state: str
    words: str

    @classmethod
    def of(cls, failure: Failed) -> "Refusal | None":
        """The refusal behind a failure, if it is one."""
        cause = failure.__cause__
        if isinstance(cause, asyncpg.PostgresError) and (cause.sqlstate or "").startswith(_OF_THE_ROW):
            return cls(str(cause.sqlstate), str(cause.args[0]).partition("\n")[0][:LONGEST_WORDS])
        return None


class Unstored(Failed):
    """A batch was not stored, or it is not known whether it was; `refusal` where the rows are to blame."""

    def __init__(self, outcome: Outcome, refusal: Refusal | None) -> None:
        super().__init__(outcome.reason or "internal", outcome.detail)
        self.refusal = refusal


class Database:
    """Two connections of their own: one for what comes, and one for what has waited."""

    def __init__(self, url: DatabaseUrl, tables: Tables, clock: Clock) -> None:
        self._pool = Pool(url, 2, clock)
        self._tables = tables
        self._clock = clock
        self._targets: dict[str, Target] = {}

    async def store(self, batch: Batch, seconds: float, *, named: bool) -> dict[str, list[bool] | None]:
        """Stores the rows within `seconds`, all or none; tells of each table's rows which are new (Target.insert).

        Raises Unstored; to store the same rows again does no harm.
        """
        storing = _Storing(self, batch, seconds, named)
        outcome = await attempt(storing, self._clock)
        if outcome.reason is not None:
            # The table may have been changed: the catalogue is read again.
            self._targets.clear()
            raise Unstored(outcome, storing.refusal)
        return storing.new

    async def insert(self, batch: Batch, seconds: float, *, named: bool) -> dict[str, list[bool] | None]:
        """As `store`, once and without a limit; raises Failed."""
        new = {}
        async with self._pool.transaction(_BEGIN, seconds) as connection:
            for table, rows in batch.items():
                target = self._targets.get(table) or await Target.look(connection, self._tables, table)
                self._targets[table] = target
                new[table] = await target.insert(connection, rows, named=named)
        return new

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.close()


@dataclass(eq=False)
class _Storing:
    """A batch on its way, as a job that is done once: whatever goes wrong with it, it ends."""

    database: Database
    batch: Batch
    timeout: float
    named: bool
    new: dict[str, list[bool] | None] = field(default_factory=dict)
    refusal: Refusal | None = None
    name: str = "ingest"
    interval: float = 0.0
    bounded: bool = False

    async def run(self) -> None:
        try:
            self.new = await self.database.insert(self.batch, self.timeout, named=self.named)
        except Failed as failure:
            self.refusal = Refusal.of(failure)
            raise

    def settle(self, outcome: Outcome) -> None:
        """Nobody schedules it."""

    async def close(self) -> None:
        """It holds nothing."""
