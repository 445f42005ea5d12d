"""The daily numbers: each day's rows counted into the app's own table of days, and shown for the last complete one."""

from collections.abc import Callable
from datetime import date, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated
from zoneinfo import available_timezones

import structlog
from pydantic import AfterValidator, model_validator

from exporter.clock import Clock
from exporter.config.fields import Duration
from exporter.config.model import Options
from exporter.errors import ExporterError
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.store import Store
from exporter.tables import Tables, quoted
from exporter.tools.database_url import DatabaseUrlField
from exporter.tools.sql import Pool

if TYPE_CHECKING:
    from exporter.tools.sql import Connection

log = structlog.get_logger(__name__)

_GAUGES = {
    "new_users": Metric(
        "chatterfy_daily_new_users",
        "gauge",
        "Users who signed up on the last complete day; read at every run of the daily job.",
    ),
    "messages": Metric(
        "chatterfy_daily_messages", "gauge", "Messages of the last complete day; read at every run of the daily job."
    ),
    "active_orgs": Metric(
        "chatterfy_daily_active_orgs",
        "gauge",
        "Organisations whose users wrote a message on the last complete day; read at every run of the daily job.",
    ),
    "revenue_usd": Metric(
        "chatterfy_daily_revenue_usd",
        "gauge",
        "Usage cost that the app booked to the last complete day's date, in UTC; read at every run of the daily job.",
    ),
    "day_timestamp_seconds": Metric(
        "chatterfy_daily_day_timestamp_seconds",
        "gauge",
        "When the last complete day began, in seconds since 1970; read at every run of the daily job.",
    ),
}

READS = ("app_user", "message", "usage")
"""The logical tables that are counted."""
WRITES = "daily_metrics"
"""The logical table that is written, and nothing else."""
_COLUMNS = ("date", "new_users", "revenue", "total_messages", "active_orgs")

# Days are timestamps without a zone here: adding a day to them is never an hour off.
# A day begins at the first moment that has its date: not always at midnight (clocks may go from 0:00 to 1:00), and at
# the first of two midnights where the hour after it comes twice (PostgreSQL takes the second).
_BOUNDS = """bounds AS MATERIALIZED (
  SELECT day, start, lead(start) OVER (ORDER BY day) AS finish
  FROM (
    SELECT day::date AS day, coalesce(
      (SELECT min(moment)
       FROM unnest(ARRAY[midnight, midnight - interval '30 min', midnight - interval '1 h']) AS moment
       WHERE (moment AT TIME ZONE $1::text)::date = day::date), midnight) AS start
    FROM (
      SELECT day, day AT TIME ZONE $1::text AS midnight
      FROM generate_series($2::date::timestamp, $3::date::timestamp + interval '1 day', interval '1 day') AS day
    ) AS midnights
  ) AS starts
)"""

# The day is a date: it becomes text ('YYYY-MM-DD') where the column is TEXT, and stays one where it is DATE.
_UPSERT = """{reads}, {bounds}
INSERT INTO {table} ({date}, {new_users}, {revenue}, {total_messages}, {active_orgs})
SELECT bounds.day, people.total, costs.total, messages.total, messages.orgs
FROM bounds,
  LATERAL (SELECT count(*) AS total FROM app_user WHERE created_at >= start AND created_at < finish) AS people,
  LATERAL (SELECT coalesce(sum(cost_usd), 0) AS total FROM usage
           WHERE usage.day >= bounds.day AND usage.day < bounds.day + 1) AS costs,
  LATERAL (SELECT count(*) AS total, count(DISTINCT app_user.org_id) AS orgs
           FROM message LEFT JOIN app_user ON app_user.id = message.user_id
           WHERE message.created_at >= start AND message.created_at < finish) AS messages
WHERE bounds.day <= $3
ON CONFLICT ({date}) DO UPDATE SET {new_users} = EXCLUDED.{new_users}, {revenue} = EXCLUDED.{revenue},
  {total_messages} = EXCLUDED.{total_messages}, {active_orgs} = EXCLUDED.{active_orgs}"""

_SHOW = """{reads}, {bounds}
SELECT new_users::float8, total_messages::float8 AS messages, active_orgs::float8, revenue::float8 AS revenue_usd,
       extract(epoch FROM start)::float8 AS day_timestamp_seconds
FROM daily_metrics JOIN bounds ON left(daily_metrics.date::text, 10) = bounds.day::text
WHERE bounds.day <= $3"""

_TODAY = "(to_timestamp($2) AT TIME ZONE $3)::date AS today"
_TRY = f"SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS mine, {_TODAY}"
_WAIT = f"SELECT pg_advisory_xact_lock(hashtextextended($1, 0)), {_TODAY}"

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL datestyle = 'ISO'"
_DAY = timedelta(days=1)


def _zone(name: str) -> str:
    known = {zone.casefold(): zone for zone in available_timezones()}
    if name not in known.values():
        near = get_close_matches(name.casefold().replace(" ", "_"), known, n=1)
        suggestion = f" (did you mean '{known[near[0]]}'?)" if near else ""
        raise ValueError(f"expected a time zone such as America/Sao_Paulo, got {name!r}{suggestion}")
    return name


class DailyOptions(Options):
    """Counts each day into the app's own table of daily metrics; off unless switched on."""

    enabled: bool = False
    """Whether the table is written at all."""
    url: DatabaseUrlField | None = None
    """Where to log in as a role that may write that table; the database's own URL unless told otherwise."""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Where a day begins and ends. Usage has days of its own, which the app books in UTC."""
    every: Duration = 300.0
    """Time from one run to the next; each run counts today and yesterday anew."""
    timeout: Duration = 60.0
    """A run that is not over by then has failed; must be shorter than `every`. A backfill has it for each day."""

    @model_validator(mode="after")
    def _timeout_is_shorter(self) -> "DailyOptions":
        if self.timeout >= self.every:
            raise ValueError(f"timeout ({self.timeout:g}s) must be shorter than every ({self.every:g}s)")
        return self


class Daily:
    """The work of the job: at most one connection at a time, and one transaction each run (each day in a backfill)."""

    def __init__(self, options: DailyOptions, tables: Tables, pool: Pool, clock: Clock, store: Store) -> None:
        self._options = options
        self._pool = pool
        self._clock = clock
        self._store = store
        self._fresh_until = 0.0
        table = quoted(*tables.physical(WRITES))
        self._lock = f"chatterfy-exporter {WRITES} {table}"
        columns = {name: quoted(tables.columns(WRITES)[name]) for name in _COLUMNS}
        self._upsert = _UPSERT.format(reads=tables.with_clause(READS), bounds=_BOUNDS, table=table, **columns)
        self._read = _SHOW.format(reads=tables.with_clause([WRITES]), bounds=_BOUNDS)

    async def run(self) -> None:
        """Counts today and yesterday, and shows the last complete day; raises Failed.

        Where another replica is at it, its work is not done twice: what is in the table is shown.
        """
        if self._clock.monotonic() > self._fresh_until:
            await self.close()
        zone, seconds = self._options.timezone, self._options.timeout
        # A migration that holds the table is left alone soon: the next run is not far.
        begin = f"{_BEGIN}; SET LOCAL lock_timeout = {max(1, int(seconds * 100))}"
        async with self._pool.transaction(begin, seconds) as connection:
            (claim,) = await connection.fetch(_TRY, self._lock, self._clock.now(), zone)
            yesterday = claim["today"] - _DAY
            if claim["mine"]:
                await connection.execute(self._upsert, zone, yesterday, claim["today"])
            rows = await connection.fetch(self._read, zone, yesterday, yesterday)
        log.debug("daily.counted" if claim["mine"] else "daily.skipped", today=str(claim["today"]), zone=zone)
        for row in rows:
            samples = [Sample(metric, (), row[name]) for name, metric in _GAUGES.items() if row[name] is not None]
            self._store.replace("daily", samples)
            self._fresh_until = self._clock.monotonic() + 3 * self._options.every

    async def backfill(self, first: date, last: date, progress: Callable[[date, float], None]) -> None:
        """Counts the days from `first` to `last`, both included, and tells each day that is done and the share so far.

        Days that were counted before are counted anew. Raises ExporterError for days that cannot be, and Failed.
        """
        if first > last:
            raise ExporterError(f"the first day, {first}, comes after the last one, {last}")
        days = (last - first).days + 1
        for number in range(days):
            day = first + number * _DAY
            async with self._pool.transaction(_BEGIN, self._options.timeout) as connection:
                await self._count(connection, day, last)
            progress(day, (number + 1) / days)

    async def _count(self, connection: "Connection", day: date, last: date) -> None:
        """Waits for whoever is counting, then counts the day."""
        zone = self._options.timezone
        (claim,) = await connection.fetch(_WAIT, self._lock, self._clock.now(), zone)
        if last > claim["today"]:
            raise ExporterError(f"{last} has not begun: it is {claim['today']} in {zone}")
        await connection.execute(self._upsert, zone, day, day)

    async def close(self) -> None:
        """Takes the numbers off the page."""
        self._store.replace("daily", ())
