"""The daily job on a real server: every day's numbers against plain counting in Python."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from exporter.business.daily import READS, WRITES, Daily, DailyOptions
from exporter.config.model import build
from exporter.config.reader import parse
from exporter.config.secret import Sources
from exporter.errors import ConfigError, ExporterError, Failed
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.tables import Tables, TablesOptions, quoted
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool
from tests.support.clock import FakeClock
from tests.support.postgres import Connection, Postgres
from tests.support.running import value

DDL = {
    "prisma": (Path(__file__).parents[2] / "exporter/demo/sql/prisma.sql").read_text(),
    "snake_case": """
        CREATE TABLE orgs (id text PRIMARY KEY, name text NOT NULL, plan_code text DEFAULT 'FREE',
                           created_at timestamptz(3) DEFAULT now());
        CREATE TABLE users (id text PRIMARY KEY, email text NOT NULL, org_id text, created_at timestamptz(3) NOT NULL,
                            updated_at timestamptz(3) NOT NULL);
        CREATE TABLE messages (id text PRIMARY KEY, user_id text NOT NULL, content text NOT NULL, provider text,
                               model text, tokens int DEFAULT 0, created_at timestamptz(3) NOT NULL);
        CREATE TABLE usage (id text PRIMARY KEY, org_id text NOT NULL, day date NOT NULL, provider text NOT NULL,
                            model text NOT NULL, tokens bigint DEFAULT 0, cost_usd decimal(12, 6) NOT NULL);
        CREATE TABLE daily_metrics (date text PRIMARY KEY, new_users int NOT NULL, revenue double precision NOT NULL,
                                    total_messages int NOT NULL, active_orgs int NOT NULL);
    """,
}
REST = {
    "prisma": {
        "app_user": {"email": "id || '@example.com'", "updatedAt": "now()"},
        "message": {"content": "''"},
        "usage": {"id": "org_id || day || model", "provider": "'openai'"},
    },
    "snake_case": {
        "app_user": {"email": "id", "updated_at": "now()"},
        "message": {"content": "''"},
        "usage": {"id": "org_id || day || model", "provider": "'openai'"},
    },
}
"""What the app fills in besides the logical columns that the tests care for."""
DAY = timedelta(days=1)
MEANT = " (did you mean 'Europe/Berlin'?)"
MILLISECOND = timedelta(milliseconds=1)
UTC_DAY = date(2026, 3, 10)

Numbers = tuple[Any, ...]
"""New users, revenue, messages and active organisations of one day."""


@dataclass
class Rows:
    """What the app has written, and the plain way to count it."""

    users: dict[str, tuple[str | None, datetime]] = field(default_factory=dict)
    messages: list[tuple[str, datetime]] = field(default_factory=list)
    costs: dict[tuple[str, date, str], float] = field(default_factory=dict)

    def counted(self, day: date, zone: str = "UTC") -> Numbers:
        def there(moment: datetime) -> bool:
            return moment.astimezone(ZoneInfo(zone)).date() == day

        wrote = [user for user, at in self.messages if there(at)]
        return (
            sum(there(at) for _, at in self.users.values()),
            pytest.approx(sum(cost for (_, booked, _), cost in self.costs.items() if booked == day)),
            len(wrote),
            len({self.users[user][0] for user in wrote} - {None}),
        )


class Site:
    """A database with the app's tables, a role that may write the daily ones alone, and exporters that log in as it."""

    def __init__(self, postgres: Postgres, database: str, role: str, preset: str, owner: Connection) -> None:
        self.postgres = postgres
        self.owner = owner
        self.role = role
        self.url = postgres.url(role, "secret", database=database)
        self.tables = Tables.of(TablesOptions.model_validate({"preset": preset}), "public")
        self.rows = Rows()
        self._rest = REST[preset]
        self._ids = count(1)
        self._pools: list[Pool] = []

    def table(self, logical: str) -> str:
        return quoted(*self.tables.physical(logical))

    def column(self, logical: str, name: str) -> str:
        return quoted(self.tables.columns(logical)[name])

    async def grant(self) -> None:
        """Column by column what is read, and the one table that is written."""
        for logical in READS:
            columns = ", ".join(map(quoted, self.tables.columns(logical).values()))
            await self.owner.execute(f"GRANT SELECT ({columns}) ON {self.table(logical)} TO {self.role}")
        await self.owner.execute(f"GRANT SELECT, INSERT, UPDATE ON {self.table(WRITES)} TO {self.role}")

    async def insert(self, logical: str, rows: list[dict[str, object]]) -> None:
        rest = self._rest[logical]
        types = {"created_at": "timestamptz", "day": "date", "cost_usd": "float8"}
        given = list(rows[0])
        columns = [self.column(logical, name) for name in given] + [quoted(name) for name in rest]
        arrays = ", ".join(f"${place}::{types.get(name, 'text')}[]" for place, name in enumerate(given, 1))
        await self.owner.execute(
            f"INSERT INTO {self.table(logical)} ({', '.join(columns)})"
            f" SELECT {', '.join([*given, *rest.values()])} FROM unnest({arrays}) AS given({', '.join(given)})",
            *([row[name] for row in rows] for name in given),
        )

    async def user(self, at: datetime, org: str | None) -> str:
        name = f"user{next(self._ids)}"
        self.rows.users[name] = org, at
        await self.insert("app_user", [{"id": name, "org_id": org, "created_at": at}])
        return name

    async def message(self, user: str, *at: datetime) -> None:
        self.rows.messages += ((user, moment) for moment in at)
        await self.insert(
            "message", [{"id": f"m{next(self._ids)}", "user_id": user, "created_at": moment} for moment in at]
        )

    async def cost(self, org: str, day: date, usd: float) -> None:
        model = f"model{next(self._ids)}"
        self.rows.costs[org, day, model] = usd
        await self.insert("usage", [{"org_id": org, "day": day, "model": model, "cost_usd": usd}])

    async def fill(self, day: date, zone: str, random: Random) -> None:
        """Rows around a day: at both bounds to the millisecond, and anywhere from two days before to two after."""
        starts = [start_of(day + number * DAY, zone) for number in range(-1, 3)]
        moments = [start + shift * MILLISECOND for start in starts for shift in (-1, 0, 1)]
        moments += [starts[1] + timedelta(seconds=random.randrange(-172800, 259200)) for _ in range(60)]
        orgs = ["org_a", "org_b", "org_c", "org_d", "org_e", None]
        users = [await self.user(moment, random.choice(orgs)) for moment in moments]
        for user in users:
            await self.message(user, *random.sample(moments, 2))
        for number in range(-2, 4):
            for org in filter(None, orgs):
                await self.cost(org, day + number * DAY, random.randrange(1, 5_000_000) / 1_000_000)

    def daily(self, day: date, store: Store | None = None, clock: FakeClock | None = None, **options: object) -> Daily:
        """An exporter's daily job, at noon UTC of a day unless its clock says otherwise."""
        clock = clock or FakeClock(at(12, day).timestamp())
        pool = Pool(parse_database_url(self.url), 1, clock)
        self._pools.append(pool)
        return Daily(DailyOptions.model_validate(options), self.tables, pool, clock, store or Store(100))

    async def stored(self) -> dict[str, Numbers]:
        names = ("date", "new_users", "revenue", "total_messages", "active_orgs")
        columns = ", ".join(self.column(WRITES, name) for name in names)
        rows = await self.owner.fetch(f"SELECT {columns} FROM {self.table(WRITES)} ORDER BY 1")
        return {str(row[0]): tuple(row)[1:] for row in rows}

    @asynccontextmanager
    async def nobody_writes(self) -> AsyncIterator[None]:
        """For that long an upsert waits, while reading goes on."""
        async with self.owner.transaction():
            await self.owner.execute(f"LOCK TABLE {self.table(WRITES)} IN SHARE MODE")
            yield

    async def close(self) -> None:
        for pool in self._pools:
            await pool.close()


def start_of(day: date, zone: str) -> datetime:
    """The first moment of a day, in UTC: of two midnights the first, and where there is none what takes its place."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def at(hour: int, day: date = UTC_DAY) -> datetime:
    return datetime.combine(day, time(hour), UTC)


async def page_of(store: Store) -> str:
    page = Page(store)
    await page.refresh()
    return page.text.plain.decode()


@pytest.fixture(params=["prisma"])
async def site(request: pytest.FixtureRequest, postgres: Postgres) -> AsyncIterator[Site]:
    database = "daily"
    role = await postgres.role("secret")
    await postgres.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    await postgres.execute(f"CREATE DATABASE {database}")
    # As a replica, the server lets a test's few rows stand without all those that they refer to.
    settings = {"timezone": "UTC", "session_replication_role": "replica"}
    owner = await asyncpg.connect(postgres.url(database=database), server_settings=settings)
    await owner.execute(DDL[request.param])
    site = Site(postgres, database, role, request.param, owner)
    await site.grant()
    yield site
    await site.close()
    owner.terminate()


def options(text: str, **environ: str) -> DailyOptions:
    return build(DailyOptions, parse(text, "config.yml"), Sources(environ, Path()))


@pytest.mark.parametrize("site", ["prisma", "snake_case"], indirect=True)
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("America/Sao_Paulo", date(2026, 3, 29), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # has no midnight
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Havana", date(2025, 11, 2), 25),  # has two midnights
        ("Pacific/Apia", date(2011, 12, 30), 0),  # was left out of the calendar
    ],
)
async def test_a_days_numbers_are_those_that_plain_counting_gives(site, zone, day, hours):
    assert (start_of(day + DAY, zone) - start_of(day, zone)) / timedelta(hours=1) == hours
    await site.fill(day, zone, Random(f"{zone}{day}"))
    store, clock = Store(100), FakeClock(start_of(day + DAY, zone).timestamp())

    await site.daily(day + DAY, store, clock, timezone=zone).run()

    assert await site.stored() == {str(it): site.rows.counted(it, zone) for it in (day, day + DAY)}
    users, revenue, messages, orgs = site.rows.counted(day, zone)
    page = await page_of(store)
    assert value(page, "chatterfy_daily_new_users") == users
    assert value(page, "chatterfy_daily_revenue_usd") == revenue
    assert value(page, "chatterfy_daily_messages") == messages
    assert value(page, "chatterfy_daily_active_orgs") == orgs
    assert value(page, "chatterfy_daily_day_timestamp_seconds") == start_of(day, zone).timestamp()


async def test_every_moment_of_a_year_belongs_to_one_day(site):
    zone, first = "Europe/Berlin", date(2026, 1, 1)
    user = await site.user(at(0, date(2020, 1, 1)), "org_a")
    days = [first + number * DAY for number in range(365)]
    await site.message(user, *(start_of(day, zone) - shift * MILLISECOND for day in days for shift in (0, 1)))

    await site.daily(date(2027, 1, 1), timezone=zone).backfill(first, days[-1], lambda *_: None)

    stored = await site.stored()
    assert {day: numbers[2] for day, numbers in stored.items()} == {str(day): 2 for day in days[:-1]} | {
        str(days[-1]): 1
    }


async def test_the_servers_own_zone_and_way_to_write_dates_change_nothing(site):
    await site.owner.execute(
        f"""
        ALTER ROLE {site.role} SET timezone = 'America/Sao_Paulo';
        ALTER ROLE {site.role} SET datestyle = 'German';
        ALTER ROLE {site.role} SET default_transaction_read_only = on;
        """
    )
    days = [UTC_DAY, UTC_DAY + DAY]
    await site.fill(UTC_DAY, "Pacific/Auckland", Random(4))

    await site.daily(UTC_DAY, store := Store(100), timezone="Pacific/Auckland").run()

    assert await site.stored() == {str(day): site.rows.counted(day, "Pacific/Auckland") for day in days}
    assert value(await page_of(store), "chatterfy_daily_messages") == site.rows.counted(UTC_DAY, "Pacific/Auckland")[2]


async def test_a_second_run_changes_nothing(site):
    await site.fill(UTC_DAY, "UTC", Random(1))
    daily = site.daily(UTC_DAY)
    await daily.run()
    once = await site.stored()

    await daily.run()

    assert await site.stored() == once


async def test_rows_that_come_late_are_counted_by_the_next_run_in_all_four_columns(site):
    yesterday = UTC_DAY - DAY
    daily = site.daily(UTC_DAY, store := Store(100))
    await daily.run()
    assert value(await page_of(store), "chatterfy_daily_messages") == 0

    await site.message(await site.user(at(23, yesterday), "org_a"), at(23, yesterday))
    await site.cost("org_a", yesterday, 2.5)
    await daily.run()

    assert (await site.stored())[str(yesterday)] == (1, 2.5, 1, 1)
    assert value(await page_of(store), "chatterfy_daily_messages") == 1


async def test_days_may_be_of_any_type_that_holds_a_day(site):
    await site.fill(UTC_DAY, "UTC", Random(2))
    await site.owner.execute(
        f"""
        ALTER TABLE {site.table(WRITES)} ALTER {site.column(WRITES, "date")} TYPE date USING NULL;
        ALTER TABLE {site.table("usage")} ALTER {site.column("usage", "day")} TYPE timestamp(3);
        UPDATE {site.table("usage")} SET {site.column("usage", "day")} = {site.column("usage", "day")} + '23:59:59.999';
        """
    )

    await site.daily(UTC_DAY + DAY, store := Store(100)).run()

    assert (await site.stored())[str(UTC_DAY)] == site.rows.counted(UTC_DAY)
    assert value(await page_of(store), "chatterfy_daily_revenue_usd") == site.rows.counted(UTC_DAY)[1]


async def test_of_two_replicas_one_counts_and_the_other_shows_what_is_there(site):
    yesterday = UTC_DAY - DAY
    await site.daily(UTC_DAY).run()
    await site.message(await site.user(at(1, yesterday), "org_a"), at(2, yesterday))
    winner, loser = site.daily(UTC_DAY, won := Store(100)), site.daily(UTC_DAY, lost := Store(100))

    async with site.nobody_writes():
        running = asyncio.create_task(winner.run())
        await site.postgres.backends(1, blocked=True)
        await loser.run()
    await running

    assert value(await page_of(lost), "chatterfy_daily_messages") == 0
    assert value(await page_of(won), "chatterfy_daily_messages") == 1
    assert (await site.stored())[str(yesterday)] == (1, 0, 1, 1)


async def test_a_replica_that_finds_nothing_counted_yet_shows_nothing(site):
    winner, loser = site.daily(UTC_DAY), site.daily(UTC_DAY, store := Store(100))

    async with site.nobody_writes():
        running = asyncio.create_task(winner.run())
        await site.postgres.backends(1, blocked=True)
        await loser.run()
    await running

    assert "chatterfy_daily" not in await page_of(store)


async def test_a_backfill_waits_for_its_turn(site):
    replica, operator = site.daily(UTC_DAY), site.daily(UTC_DAY)

    async with site.nobody_writes():
        tasks = [asyncio.create_task(replica.run())]
        await site.postgres.backends(1, blocked=True)
        tasks.append(asyncio.create_task(operator.backfill(UTC_DAY, UTC_DAY, lambda *_: None)))
        await site.postgres.backends(2, blocked=True)
    await asyncio.gather(*tasks)

    assert list(await site.stored()) == [str(UTC_DAY - DAY), str(UTC_DAY)]


async def test_a_backfill_tells_each_day_and_counts_them_all(site):
    await site.fill(UTC_DAY, "UTC", Random(3))
    told: list[tuple[date, float]] = []

    await site.daily(UTC_DAY + 5 * DAY).backfill(
        UTC_DAY - DAY, UTC_DAY + 2 * DAY, lambda day, share: told.append((day, share))
    )

    days = [UTC_DAY + number * DAY for number in (-1, 0, 1, 2)]
    assert told == list(zip(days, (0.25, 0.5, 0.75, 1), strict=True))
    assert await site.stored() == {str(day): site.rows.counted(day) for day in days}


async def test_days_that_have_not_begun_cannot_be_counted(site):
    with pytest.raises(ExporterError, match="2026-03-11 has not begun: it is 2026-03-10 in America/Sao_Paulo"):
        await site.daily(UTC_DAY, timezone="America/Sao_Paulo").backfill(UTC_DAY, UTC_DAY + DAY, lambda *_: None)

    assert not await site.stored()


async def test_days_must_be_in_order(site):
    with pytest.raises(ExporterError, match="the first day, 2026-03-10, comes after the last one, 2026-03-09"):
        await site.daily(UTC_DAY).backfill(UTC_DAY, UTC_DAY - DAY, lambda *_: None)


async def test_a_connection_that_is_lost_costs_one_run(site):
    daily = site.daily(UTC_DAY)

    async with site.nobody_writes():
        running = asyncio.create_task(daily.run())
        (pid,) = await site.postgres.backends(1, blocked=True)
        await site.owner.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(Failed) as failed:
            await running

    assert failed.value.reason == "connect"
    assert not await site.stored()
    await daily.run()
    assert len(await site.stored()) == 2


async def test_a_run_leaves_a_locked_table_alone_soon(site):
    daily = site.daily(UTC_DAY, timeout="1s")

    async with site.nobody_writes():
        with pytest.raises(Failed, match="lock timeout") as failed:
            await daily.run()

    assert failed.value.reason == "timeout"


async def test_a_backfill_does_not_wait_for_ever(site):
    daily = site.daily(UTC_DAY, timeout="100ms")

    async with site.nobody_writes():
        with pytest.raises(Failed, match="statement timeout") as failed:
            await daily.backfill(UTC_DAY, UTC_DAY, lambda *_: None)

    assert failed.value.reason == "timeout"


async def test_a_missing_table_is_told_by_name(site):
    await site.owner.execute(f"DROP TABLE {site.table(WRITES)}")

    with pytest.raises(Failed, match="DailyMetrics") as failed:
        await site.daily(UTC_DAY).run()

    assert failed.value.reason == "query"


@pytest.mark.parametrize("right", ["INSERT", "UPDATE"])
async def test_a_role_that_may_not_write_the_table_fails_with_auth(site, right):
    await site.owner.execute(f"REVOKE {right} ON {site.table(WRITES)} FROM {site.role}")

    with pytest.raises(Failed) as failed:
        await site.daily(UTC_DAY).run()

    assert failed.value.reason == "auth"


async def test_numbers_outlive_a_failure_for_three_intervals(site):
    daily = site.daily(UTC_DAY, store := Store(100), clock := FakeClock(), every="5m")
    await daily.run()
    await site.owner.execute(f"DROP TABLE {site.table(WRITES)}")

    async def page_after_a_failure_in(seconds: float) -> str:
        await clock.advance(seconds)
        with pytest.raises(Failed):
            await daily.run()
        return await page_of(store)

    assert "chatterfy_daily_messages 0" in await page_after_a_failure_in(900)
    assert "chatterfy_daily" not in await page_after_a_failure_in(1)


def test_it_is_off_unless_switched_on():
    assert not options("{}").enabled
    assert options("enabled: true\nurl: {env: URL}", URL="postgresql://daily:x@db/app").enabled


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("timezone: ''", "config.yml:1: timezone: expected a time zone such as America/Sao_Paulo, got ''"),
        (
            "timezone: europe/berlin",
            "config.yml:1: timezone: expected a time zone such as America/Sao_Paulo, got 'europe/berlin'" + MEANT,
        ),
        ("every: 1m", "config.yml:1: timeout (60s) must be shorter than every (60s)"),
        (
            "url: {env: URL}",
            "config.yml:1: url: expected a URL such as postgresql://user:password@host:5432/database",
        ),
    ],
)
def test_a_wrong_setting_is_told_with_what_was_expected(text, problem):
    with pytest.raises(ConfigError) as error:
        options(text, URL="mysql://daily:x@db/app")

    assert str(error.value) == problem
