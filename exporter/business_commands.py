"""What the commands about the app's own tables do: query, daily, grants, and the check of the tables."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches

from exporter.business import rights
from exporter.business.daily import READS, WRITES, Daily, DailyOptions
from exporter.business.horizon import SNAPSHOT
from exporter.business.options import DatabaseOptions
from exporter.business.query import Query
from exporter.business.values import totals
from exporter.clock import Clock
from exporter.config.secret import Secret
from exporter.errors import ConfigError, ExporterError, Failed, Problem
from exporter.jobs import Task
from exporter.metrics.store import Store
from exporter.schedule import Outcome, attempt
from exporter.settings import Settings
from exporter.tables import LOGICAL, Tables, Window
from exporter.tools import Dialer
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool

CHECK_WITHIN = 2.0
"""Seconds for the check of the tables: with letting go of a server that hangs, the answer is there within five."""
SHOWN_ROWS = 100
"""Rows of a query that are printed; the rest is counted."""


async def query(settings: Settings, name: str, since: float | None, clock: Clock) -> tuple[str, bool]:
    """Runs one query once; returns what there is to tell, and whether it succeeded.

    A counter or histogram looks `since` seconds back. Raises ConfigError for what cannot be run.
    """
    chosen = _chosen(settings.all_queries, name)
    tables = _tables(settings)
    window = None
    if chosen.growing:
        reach = timedelta(seconds=since) if since else max(timedelta(hours=1), chosen.settle)
        window = Window(*chosen.growing, datetime.fromtimestamp(clock.now(), UTC) - reach)
    elif since:
        raise ConfigError([Problem("", "--since", f"'{name}' is a gauge: it is over all rows, as they are now")])
    every = settings.queries.every.get(name, chosen.header.every)
    trial = _Trial(chosen, chosen.statement(tables, window, settings.queries.rules), min(chosen.timeout, 0.8 * every))
    async with _pool(_database(settings).url, clock) as pool:
        outcome = await trial.run(pool, clock)
    return settings.redact(_told(trial, outcome, window)), outcome.reason is None


async def check(settings: Settings, clock: Clock) -> list[str]:
    """What is wrong with the tables in the database, where there is one, a line each; within five seconds."""
    if settings.database is None:
        return []
    try:
        async with clock.timeout(CHECK_WITHIN), _pool(settings.database.url, clock) as pool:
            await _reach(pool)
            async with pool.transaction(SNAPSHOT, CHECK_WITHIN) as connection:
                growing = sorted({query.growing for query in _enabled(settings) if query.growing})
                found = await _tables(settings).problems(connection, _needed(settings), growing)
    except (Failed, TimeoutError) as error:
        reason = error if isinstance(error, Failed) else f"timeout: no answer within {CHECK_WITHIN:g} s"
        return [settings.redact(f"warning: tables not checked: {reason}")]
    return [f"warning: {problem.table}: {problem.message}. {problem.advice}" for problem in found]


def grants(settings: Settings, role: str, writer: str | None, keeper: str | None) -> str:
    """The least privileges for what is enabled, as SQL. Raises ConfigError where there is nothing to grant."""
    database = parse_database_url(_database(settings).url.reveal()).database
    tables = _tables(settings)
    text = rights.reader(tables, _enabled(settings), role, database)
    daily = settings.daily
    if writer:
        url = _daily(settings).url
        text += "\n" + rights.writer(tables, writer, parse_database_url(url.reveal()).database if url else database)
    elif daily and daily.enabled:
        text += "\n-- The daily job writes a table: name its role with --writer.\n"
    stored = [section.STORES for section in settings.ingest.sections if section.STORES] if settings.ingest else []
    if keeper:
        text += "\n" + rights.keeper(tables, _some(stored), keeper, _kept_in(settings) or database)
    elif stored:
        text += "\n-- What is received is stored: name its role with --keeper.\n"
    return text


def _some(stored: list[str]) -> list[str]:
    if not stored:
        raise ConfigError([Problem("", "ingest", "neither `events` nor `requests` is there: nothing is stored")])
    return stored


def _kept_in(settings: Settings) -> str | None:
    url = settings.ingest.url if settings.ingest else None
    return parse_database_url(url.reveal()).database if url else None


async def daily(settings: Settings, first: date, last: date, clock: Clock, progress: Callable[[date], None]) -> None:
    """Counts the days from `first` to `last` anew, and tells each that is done. Raises ExporterError."""
    options = _daily(settings)
    async with _pool(options.url or _database(settings).url, clock) as pool:
        job = Daily(options, _tables(settings), pool, clock, Store(1))
        try:
            await _reach(pool)
            await job.backfill(first, last, lambda day, _: progress(day))
        except Failed as failure:
            raise ExporterError(settings.redact(f"daily: {failure}")) from failure


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
            await _reach(pool)
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


def _chosen(queries: Iterable[Query], name: str) -> Query:
    known = {query.name: query for query in queries}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(sorted(known))}"
        raise ConfigError([Problem("", "", f"no query named '{name}' ({advice})")])
    return known[name]


def _enabled(settings: Settings) -> list[Query]:
    return [query for query in settings.all_queries if query.name not in settings.queries.disable]


def _needed(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The logical tables and columns that are read or written."""
    needed: dict[str, set[str]] = {}
    needs = [query.needs for query in _enabled(settings)]
    if settings.daily and settings.daily.enabled:
        needs.append({table: LOGICAL[table] for table in (*READS, WRITES)})
    for tables in needs:
        for table, columns in tables.items():
            needed.setdefault(table, set()).update(columns)
    return {table: tuple(sorted(columns)) for table, columns in sorted(needed.items())}


def _database(settings: Settings) -> DatabaseOptions:
    if settings.database is None:
        raise ConfigError(
            [Problem("", "database", "not configured: say where it is, e.g. database: {url: {env: DATABASE_URL}}")]
        )
    return settings.database


def _daily(settings: Settings) -> DailyOptions:
    if settings.daily is None:
        raise ConfigError(
            [Problem("", "daily", "not configured: add the section, e.g. daily: {timezone: America/Sao_Paulo}")]
        )
    return settings.daily


def _tables(settings: Settings) -> Tables:
    return Tables.of(settings.tables, parse_database_url(_database(settings).url.reveal()).schema)


@asynccontextmanager
async def _pool(url: Secret, clock: Clock) -> AsyncIterator[Pool]:
    """One connection, opened when it is needed."""
    pool = Pool(parse_database_url(url.reveal()), 1, clock)
    try:
        yield pool
    finally:
        await pool.close()


async def _reach(pool: Pool) -> None:
    """Looks the server's name up in a way that can be given up, which asyncpg's own way cannot; raises Failed."""
    if not pool.url.is_socket:
        await Dialer().resolve(pool.url.host, pool.url.port, lambda _: nullcontext())
