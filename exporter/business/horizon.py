"""The horizon: exact counters and histograms over growing tables, at a cost that follows new rows.

Everything before the horizon is closed: counted once and kept. A refresh counts what lies between the old horizon and
the new one, which closes it, and what lies behind the new one, which is counted again next time. The new horizon lies
before every open transaction, since its rows may still come. It is chosen in a statement of its own, before the
snapshot is taken: a transaction that commits between the two would otherwise be in neither.
"""

import asyncio
import hashlib
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import structlog

from exporter.business.query import Query
from exporter.business.state import OLDER, Closed, StateFile, Totals, merge
from exporter.business.values import filled, first_come, samples, totals
from exporter.errors import Failed
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.paths import PATH_RULES, Rules
from exporter.metrics.store import DROPPED, Store
from exporter.tables import Tables, Window
from exporter.tools.sql import Pool

if TYPE_CHECKING:
    from exporter.tools.sql import Connection

log = structlog.get_logger(__name__)

HORIZON = Metric(
    "chatterfy_query_horizon_timestamp_seconds",
    "gauge",
    "Up to when the query's rows are closed, in seconds since 1970; set at every refresh.",
    ("query",),
)
LATE_ROWS = Metric(
    "chatterfy_query_late_rows",
    "gauge",
    "By how much the nightly recount of the last seven days found more than had been closed; set at every recount.",
    ("query",),
)
KEPT_DAYS = 7
"""Days whose closed totals are kept apart, and recounted at night."""

SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_BOUND = """
SELECT clock_timestamp() AS now, pg_is_in_recovery() AS standby, pg_last_xact_replay_timestamp() AS replayed,
       EXISTS (SELECT FROM pg_prepared_xacts) AS prepared,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
       (SELECT min(xact_start) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type NOT IN ('autovacuum worker', 'walsender')) AS oldest
"""
"""What the new horizon depends on. Neither vacuum nor a standby's sender writes rows."""


Hold = Callable[[str], float | None]
"""Before which no row of a logical table can come any more that was accepted and is not in the database yet, in seconds
since 1970; None where nothing holds the table's counters back."""


class Counter:
    """One counter or histogram query with its state."""

    def __init__(  # noqa: PLR0913  (what it works with)
        self,
        query: Query,
        tables: Tables,
        pool: Pool,
        state: StateFile,
        store: Store,
        *,
        rules: Rules = PATH_RULES,
        skew: float = 5.0,
        from_now: bool = False,
        hold: Hold = lambda _: None,
    ) -> None:
        self.query = query
        self._tables = tables
        self._pool = pool
        self._state = state
        self._store = store
        self._rules = rules
        self._skew = timedelta(seconds=skew)
        self._from_now = from_now
        self._hold = hold
        self._holds: deque[tuple[datetime, float]] = deque()
        self._closed: Closed | None = None
        self._known: set[tuple[str, ...]] = set()
        self._warned = False
        self._lock = asyncio.Lock()
        self._meaning = hashlib.sha256(query.statement(tables, rules=rules).encode()).hexdigest()

    @property
    def cold(self) -> bool:
        """Whether the whole table has yet to be counted."""
        return self._closed is None or self._closed.horizon is None

    async def refresh(self, seconds: float) -> None:
        """Counts what is new within `seconds`, keeps it, and shows it; raises Failed, and then nothing has changed."""
        async with self._lock:
            await self._refresh(await self._load(), seconds)

    async def _refresh(self, closed: Closed, seconds: float) -> None:
        # Before the snapshot, as the rest of the bound: what is stored after this is held back by it.
        held = self._hold(self.query.growing[0]) if self.query.growing else None
        async with self._pool.transaction("BEGIN READ ONLY", seconds) as connection:
            (row,) = await connection.fetch(_BOUND)
        if not row["sees_all"] and not self._warned:
            self._warned = True
            log.warning("query.blind", query=self.query.name, advice="GRANT pg_monitor: open transactions are not seen")
        if held is not None and row["standby"]:
            held = self._replayed(row["now"], row["replayed"], held)
        bound = new_horizon(closed.horizon, dict(row), self.query.settle, self._skew, held)
        later = closed.copy()
        known = set(self._known)
        async with self._pool.transaction(SNAPSHOT, seconds) as connection:
            dropped = await self._close(connection, later, bound, known)
            window = await self._count(connection, bound, None)
        opened, more = first_come(self.query, window, known)
        self._show(later, opened)
        await self._keep(later)
        self._closed, self._known = later, known
        self._publish(later, bound, dropped + more)

    def _replayed(self, now: datetime, replayed: datetime | None, held: float) -> float:
        """The hold of the last refresh up to which the standby has replayed: what it let go of was stored by then.

        That is the primary's past; until there is one, nothing is closed.
        """
        self._holds.append((now, held))
        reached = replayed - self._skew if replayed else datetime.fromtimestamp(0, UTC)
        while len(self._holds) > 1 and self._holds[1][0] <= reached:
            self._holds.popleft()
        at, held = self._holds[0]
        return held if at <= reached else 0.0

    async def recount(self, seconds: float) -> None:
        """Counts the last closed days again: what came late is added, what is missing is told and left."""
        async with self._lock:
            closed = (await self._load()).copy()
            if closed.horizon is not None:
                await self._recount(closed, closed.horizon, seconds)

    async def _recount(self, closed: Closed, horizon: datetime, seconds: float) -> None:
        late = missing = Decimal(0)
        async with self._pool.transaction(SNAPSHOT, seconds) as connection:
            for start, end in self._days(horizon, closed.since):
                day = start.date()
                folded, _ = first_come(self.query, await self._count(connection, start, end), self._known)
                before = closed.days.get(day, {})
                changes = {key: value - before.get(key, Decimal(0)) for key, value in folded.items()}
                more = {key: change for key, change in changes.items() if change > 0}
                late += sum(more.values())
                missing += sum(max(Decimal(0), value - folded.get(key, Decimal(0))) for key, value in before.items())
                closed.add(day, more)
        if missing:
            log.warning("query.rows_missing", query=self.query.name, amount=str(missing), advice="the counter stays")
        await self._keep(closed)
        self._closed = closed
        self._store.replace(f"late:{self.query.name}", [Sample(LATE_ROWS, (self.query.name,), float(late))])

    def clear(self) -> None:
        """Takes the counter off the page: the query is off."""
        self._store.replace(f"query:{self.query.name}", ())

    async def _load(self) -> Closed:
        if self._closed is None:
            self._closed = await self._state.load(self.query.name, self._meaning)
            self._known = {key[:-1] for key in self._closed.shown}
        return self._closed

    async def _keep(self, closed: Closed) -> None:
        try:
            await self._state.save(self.query.name, self._meaning, closed)
        except sqlite3.Error as error:
            raise Failed("internal", f"the state cannot be written: {error}") from error

    async def _close(
        self, connection: "Connection", closed: Closed, bound: datetime, known: set[tuple[str, ...]]
    ) -> int:
        """Counts and closes everything before `bound` that is not closed yet, day by day."""
        dropped = 0
        cold = closed.horizon is None
        if cold and self._from_now:
            closed.horizon = closed.since = bound
        for start, end in _segments(closed.horizon, bound):
            folded, more = first_come(self.query, await self._count(connection, start, end), known)
            dropped += more
            closed.add(start.date() if start else OLDER, folded)
            if cold:
                log.info("query.counted", query=self.query.name, until=end.isoformat())
        closed.horizon = bound
        closed.fold(bound.date() - timedelta(days=KEPT_DAYS))
        return dropped

    async def _count(self, connection: "Connection", start: datetime | None, end: datetime | None) -> Totals:
        table, column = self.query.growing or ("", "")
        statement = self.query.statement(self._tables, Window(table, column, start, end), self._rules)
        return totals(self.query, map(tuple, await connection.fetch(statement)))

    def _show(self, closed: Closed, opened: Totals) -> None:
        """What the page gets: closed and open, and never less than it had."""
        current = closed.total()
        merge(current, opened)
        for key, shown in closed.shown.items():
            dip = shown - current.get(key, Decimal(0)) - closed.offset.get(key, Decimal(0))
            if dip > 0:
                closed.offset[key] = closed.offset.get(key, Decimal(0)) + dip
        merge(current, closed.offset)
        closed.shown = current

    def _publish(self, closed: Closed, horizon: datetime, dropped: int) -> None:
        name = self.query.name
        shown = samples(self.query, filled(self.query, closed.shown))
        shown.append(Sample(HORIZON, (name,), horizon.timestamp()))
        self._store.replace(f"query:{name}", shown)
        if dropped:
            self._store.add(DROPPED, self.query.metrics[0][0].name, amount=dropped)

    def _days(self, horizon: datetime, since: datetime | None) -> Iterator[tuple[datetime, datetime]]:
        """The closed days that are kept apart: the first from when counting began, the last up to the horizon."""
        first = _midnight(horizon.date() - timedelta(days=KEPT_DAYS))
        yield from _by_day(max(first, since) if since else first, horizon)


def new_horizon(
    old: datetime | None, server: Mapping[str, Any], settle: timedelta, skew: timedelta, held: float | None = None
) -> datetime:
    """Before which no row can come any more, by what the server says of itself (_BOUND); never before the `old` one.

    `held` is how far it may go at most: what was accepted since then may still have to be stored.
    """
    bounds: list[datetime] = [server["now"] - settle]
    if server["standby"]:
        # The primary's transactions are invisible here; what comes late is found by the recount.
        bounds = [server["replayed"] - settle] if server["replayed"] else []
    if server["oldest"]:
        bounds.append(server["oldest"] - skew)
    if old and (server["prepared"] or not bounds):
        return old
    new: datetime = min(bounds, default=server["now"] - settle)
    if held is not None:
        new = min(new, datetime.fromtimestamp(held, UTC))
    return max(new, old) if old else new


def _segments(start: datetime | None, end: datetime) -> Iterator[tuple[datetime | None, datetime]]:
    """The span cut at UTC midnights; without a start, all that is older than a week is one piece."""
    if start is None:
        start = _midnight(end.date() - timedelta(days=KEPT_DAYS))
        yield None, start
    yield from _by_day(start, end)


def _by_day(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        cut = min(_midnight(start.date() + timedelta(days=1)), end)
        yield start, cut
        start = cut


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
