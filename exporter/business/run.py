"""Keeps the queries running: each as a job of its own, those that cannot run switched off until they can."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import structlog

from exporter.business.daily import Daily, DailyOptions
from exporter.business.gauge import Gauge
from exporter.business.horizon import SNAPSHOT, Counter, Hold
from exporter.business.options import DatabaseOptions, QueriesOptions, StateOptions
from exporter.business.query import Query
from exporter.business.state import StateFile
from exporter.clock import Clock
from exporter.errors import Failed
from exporter.jobs import Task
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.store import Store
from exporter.schedule import Outcome, Scheduler
from exporter.states import Board
from exporter.tables import TableProblem, Tables
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool

log = structlog.get_logger(__name__)

ENABLED = Metric(
    "chatterfy_query_enabled",
    "gauge",
    "Whether the query runs (1), or cannot for want of a table or column (0); checked every minute.",
    ("query",),
)
CHECK_EVERY = 60.0
TO_THE_PAGE = 1.0
"""Seconds, at most, from a result to the page that has it."""
CLOSE_WITHIN = 1.0
"""Seconds that closing waits for a disk that hangs."""


class QueryTask(Task):
    """A query as a job that refreshes ahead of time, so that no number on the page is older than `every` seconds.

    Its gauges go when they are stale; its counters stay.
    """

    def __init__(self, work: Gauge | Counter, every: float, cold_timeout: float, store: Store, clock: Clock) -> None:
        self._query_work = work
        self._cold_timeout = cold_timeout
        self._every = every
        self._usual = min(work.query.timeout, 0.8 * every)
        self._clock = clock
        self._succeeded = clock.monotonic()
        super().__init__(work.query.name, interval=every, timeout=self._usual, work=self._refresh, store=store)

    async def _refresh(self) -> None:
        await self._query_work.refresh(self._cold_timeout if self._query_work.cold else self._usual)

    def settle(self, outcome: Outcome) -> None:
        """As every task; and a gauge that fails is taken off the page when it is three intervals old.

        After a success the next run begins ahead by twice what this one took and the way to the page, and by a quarter
        of the interval at most.
        """
        super().settle(outcome)
        ahead = min(2 * outcome.duration + TO_THE_PAGE, self._every / 4) if outcome.reason is None else 0
        self.interval = self._every - ahead
        now = self._clock.monotonic()
        if outcome.reason is None:
            self._succeeded = now
        elif isinstance(self._query_work, Gauge) and now - self._succeeded > 3 * self._every:
            self._query_work.clear()
        self.timeout = self._cold_timeout if self._query_work.cold else self._usual


class Business:
    """All queries over one database, with their connections and their state."""

    def __init__(  # noqa: PLR0913  (the configuration's sections, and what the rest of the exporter lends)
        self,
        database: DatabaseOptions,
        tables: Tables,
        options: QueriesOptions,
        state: StateOptions,
        queries: Iterable[Query],
        *,
        scheduler: Scheduler,
        store: Store,
        board: Board,
        clock: Clock,
        daily: DailyOptions | None = None,
        hold: Hold = lambda _: None,
    ) -> None:
        """Raises ExporterError when the state cannot be kept."""
        self._daily: tuple[DailyOptions, Pool, Daily] | None = None
        if daily and daily.enabled:
            writers = Pool(parse_database_url((daily.url or database.url).reveal()), 1, clock)
            self._daily = daily, writers, Daily(daily, tables, writers, clock, store)
        self.pool = Pool(parse_database_url(database.url.reveal()), database.pool, clock)
        self.problems: list[TableProblem] = []
        self._tables = tables
        self._scheduler, self._store, self._board, self._clock = scheduler, store, board, clock
        self._state = StateFile(state.path)
        self._cold_timeout = state.cold_timeout
        self._recounted = -1.0
        self._checking = asyncio.Lock()
        self._work: dict[str, Gauge | Counter] = {}
        self._every: dict[str, float] = {}
        self._jobs: dict[str, Task] = {}
        rules = options.rules
        for query in queries:
            if query.name in options.disable:
                continue
            self._every[query.name] = options.every.get(query.name, query.header.every)
            self._work[query.name] = (
                Gauge(query, tables, self.pool, store, rules)
                if query.kind == "gauge"
                else Counter(
                    query,
                    tables,
                    self.pool,
                    self._state,
                    store,
                    rules=rules,
                    skew=database.skew,
                    from_now=state.start == "now",
                    hold=hold,
                )
            )

    async def start(self) -> None:
        """Checks the tables, if the database answers within a second, and starts what can run."""
        try:
            async with self._clock.timeout(1.0):
                await self.check()
        except (Failed, TimeoutError):
            # The database is down: every query says so itself, and the check comes again.
            await self._switch(set())
        check = Task("tables", interval=CHECK_EVERY, timeout=10.0, work=self.check, store=self._store)
        recount = Task("recount", interval=3600.0, timeout=1800.0, work=self.recount_daily, store=self._store)
        for task in (check, recount):
            self._start(task)
        if self._daily:
            options, _, daily = self._daily
            self._start(
                Task("daily", interval=options.every, timeout=options.timeout, work=daily.run, store=self._store)
            )

    async def close(self) -> None:
        """Stops every query, ends what runs on the server, and takes all off the page."""
        await asyncio.gather(*map(self._stop, list(self._jobs)))
        await self.pool.close()
        if self._daily:
            _, writers, daily = self._daily
            await daily.close()
            await writers.close()
        with suppress(TimeoutError):
            async with self._clock.timeout(CLOSE_WITHIN):
                await self._state.close()
        for name in self._work:
            self._store.replace(f"enabled:{name}", ())
            self._work[name].clear()

    async def check(self) -> None:
        """Holds the mapping against the database's catalogue, and switches queries off or on; one look at a time."""
        async with self._checking:
            await self._look()

    async def _look(self) -> None:
        queries = [work.query for work in self._work.values()]
        async with self.pool.transaction(SNAPSHOT, 10.0) as connection:
            needs: dict[str, set[str]] = {}
            for query in queries:
                for table, columns in query.needs.items():
                    needs.setdefault(table, set()).update(columns)
            growing = sorted({query.growing for query in queries if query.growing})
            found = await self._tables.problems(connection, needs, growing)
        for problem in found:
            if problem not in self.problems:
                log.warning("tables.problem", table=problem.table, problem=problem.message, advice=problem.advice)
        self.problems = found
        await self._switch({query.name for query in queries if any(problem.hits(query.needs) for problem in found)})

    async def _switch(self, off: set[str]) -> None:
        for name, work in self._work.items():
            runs = name in self._jobs
            if name in off and runs:
                await self._stop(name)
                if isinstance(work, Gauge):  # counters stay: they would be taken for reset
                    work.clear()
            elif name not in off and not runs:
                self._start(QueryTask(work, self._every[name], self._cold_timeout, self._store, self._clock))
            self._store.replace(f"enabled:{name}", [Sample(ENABLED, (name,), float(name not in off))])

    async def recount_daily(self) -> None:
        """In the first hour of a UTC day, and after a start: counts the last days again, one query after the other."""
        today = self._clock.now() // 86400
        if today != self._recounted:
            for counter in [work for work in self._work.values() if isinstance(work, Counter)]:
                await counter.recount(self._cold_timeout)
            self._recounted = today

    def _start(self, task: Task) -> None:
        self._jobs[task.name] = task
        self._board[task.name] = task.state
        self._scheduler.start(task)

    async def _stop(self, name: str) -> None:
        task = self._jobs.pop(name)
        del self._board[name]
        await self._scheduler.stop(task)
