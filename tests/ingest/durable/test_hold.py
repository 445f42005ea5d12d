"""Counters never close what was accepted and is not stored yet, in whatever order things happen."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.business.horizon import new_horizon
from exporter.clock import SystemClock
from exporter.ingest.durable.keeper import GATHERING
from tests.support.clock import FakeClock
from tests.support.keeping import Counting, keeping, signup
from tests.support.running import value

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATE = 0.3
acts = st.one_of(
    st.tuples(st.just("accept"), st.integers(1, 3), st.floats(0, LATE * 0.9)),
    st.tuples(st.sampled_from(["refuse", "take", "refresh", "refresh", "restart", "wait", "recount"])),
)


def server(**facts):
    return {"now": NOW, "standby": False, "replayed": None, "prepared": False, "oldest": None, **facts}


@pytest.mark.fast
@pytest.mark.parametrize(
    ("facts", "old", "held", "expected"),
    [
        ({}, None, -120, -120),
        ({}, None, 5, -60),
        ({}, -90, -120, -90),
        ({"oldest": NOW - timedelta(seconds=200)}, None, -120, -205),
        ({"standby": True}, -300, -120, -300),
        ({"prepared": True}, -300, -120, -300),
    ],
)
def test_the_horizon_goes_no_further_than_it_is_held(facts, old, held, expected):
    def at(seconds):
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    horizon = new_horizon(at(old), server(**facts), timedelta(seconds=60), timedelta(seconds=5), at(held).timestamp())

    assert horizon == at(expected)


@pytest.mark.fast
async def test_the_hold_follows_the_oldest_row_that_is_not_stored_and_no_other_table(tmp_path, unused_tcp_port):
    clock = FakeClock()
    nowhere = f"postgresql://u:p@127.0.0.1:{unused_tcp_port}/d"
    async with keeping(nowhere, tmp_path, clock, late="5m") as it:
        idle = it.keeper.hold("business_event")
        await clock.advance(600)
        row = {"id": "1", "event_type": "e", "data": "{}", "created_at": clock.now() - 10}
        keeping_it = asyncio.create_task(it.keeper.accept("business_event", [row], named=True))
        await clock.advance(GATHERING)
        await keeping_it
        await clock.advance(600 - GATHERING)
        spooled, other, foreign = map(it.keeper.hold, ("business_event", "api_request", "message"))
    async with keeping(nowhere, tmp_path, clock, late="5m") as it:
        again = it.keeper.hold("business_event")

    assert idle == clock.wall - 300 - 1
    assert spooled == again == clock.wall + 600 - 10 - 1
    assert other == clock.wall + 1200 - 300 - 1
    assert foreign is None


@pytest.mark.fast
async def test_a_clock_that_is_set_back_makes_no_row_older_than_what_is_closed(tmp_path, unused_tcp_port):
    clock = FakeClock()
    async with keeping(f"postgresql://u:p@127.0.0.1:{unused_tcp_port}/d", tmp_path, clock) as it:
        await clock.advance(900)
        held = it.keeper.hold("business_event") or 0
        clock.wall -= 3600
        posting = asyncio.create_task(it.post([signup("1"), signup("2")]))
        while not posting.done():
            await clock.advance(GATHERING / 100)
        page = await it.page()

    assert value(page, "chatterfy_ingest_spool_oldest_timestamp_seconds") == held + 1


async def test_on_a_standby_nothing_is_closed_that_it_has_not_replayed(tmp_path, postgres, url, sql):
    """A row waits on the disk for longer than counters settle, and is stored while the standby lags."""
    await sql("CREATE ROLE refused LOGIN PASSWORD 'secret'")
    with postgres.replica() as replica:
        there = url.replace(f":{postgres.port}/", f":{replica.port}/")
        standby = await asyncpg.connect(there)
        async with keeping(url.replace("postgres:super", "refused:secret"), tmp_path, late="300ms") as it:
            counting = Counting(there, tmp_path, it)
            await counting.refresh()
            answer = await it.post(signup("one"))
            await until(lambda: it.clock.now() - (it.keeper.hold("business_event") or 0) > 2.5)
            await sql("CREATE TABLE mark ()")  # the app goes on, and so does what the standby has replayed
            await until_there(standby, "mark")
            await standby.execute("SELECT pg_wal_replay_pause()")
            await sql('GRANT INSERT, SELECT (id) ON "BusinessEvent" TO refused')
            while value(await it.page(), "chatterfy_ingest_spool_rows"):
                await asyncio.sleep(0.02)
            await counting.refresh()
            await standby.execute("SELECT pg_wal_replay_resume()")
            await sql("CREATE TABLE later ()")
            await until_there(standby, "later")
            for _ in range(3):
                await counting.refresh()
            page = await counting.page()
            await counting.close()
        await standby.close()
    await sql("DROP OWNED BY refused")
    await sql("DROP ROLE refused")

    assert answer[0] == 202
    assert value(page, 'own_events_total{name="user_signup"}') == 1
    assert value(page, 'chatterfy_query_late_rows{query="events"}') == 0


async def until_there(connection, table):
    async with asyncio.timeout(10):
        while not await connection.fetchval("SELECT to_regclass($1)::text", table):
            await asyncio.sleep(0.02)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


class Site:
    """A keeper whose role may be refused, and a counter that is not; each act is a method."""

    def __init__(self, url, role, folder, admin):
        self._url, self._role, self._folder, self._admin = url, role, folder, admin
        self._keys = count(1)
        self._clock = SystemClock()
        self.accepted = 0

    async def __aenter__(self):
        await self._admin.execute('TRUNCATE "BusinessEvent"')
        await self.take()
        await self._open()
        return self

    async def __aexit__(self, *_):
        await self._stack.aclose()

    async def _open(self):
        self._stack = AsyncExitStack()
        role = self._url.replace("postgres:super", f"{self._role}:secret")
        self.it = await self._stack.enter_async_context(keeping(role, self._folder, late="300ms"))
        self.counting = Counting(self._url, self._folder, self.it)
        self._stack.push_async_callback(self.counting.close)

    async def restart(self):
        await self._stack.aclose()
        await self._open()

    async def accept(self, number, age):
        stamp = int((self._clock.now() - age) * 1000)
        events = [{**signup(str(next(self._keys))), "timestamp": stamp} for _ in range(number)]
        status, _ = await self.it.post(events)
        self.accepted += number * (status == 202)

    async def refuse(self):
        await self._admin.execute(f'REVOKE INSERT ON "BusinessEvent" FROM {self._role}')

    async def take(self):
        await self._admin.execute(f'GRANT INSERT, SELECT (id) ON "BusinessEvent" TO {self._role}')

    async def wait(self):
        await self._admin.execute("SELECT pg_sleep(0.2)")

    async def refresh(self):
        await self.counting.refresh()

    async def recount(self):
        await self.counting.page()

    async def page(self):
        await self.take()
        async with asyncio.timeout(15):
            while value(await self.it.page(), "chatterfy_ingest_spool_rows") > 0:
                await asyncio.sleep(0.02)
        return await self.counting.page()


@pytest.fixture
async def role(postgres_cluster, url, sql):
    name = await postgres_cluster.role("secret")
    yield name
    await sql(f"DROP OWNED BY {name}")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(acts, min_size=10, max_size=30))
async def test_any_order_of_acts_ends_with_every_accepted_event_counted_in_time(url, role, acts):
    admin = await asyncpg.connect(url)
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with Site(url, role, Path(folder), admin) as site:
                for act, *arguments in acts:
                    await getattr(site, act)(*arguments)
                page = await site.page()
        stored = await admin.fetchval('SELECT count(*) FROM "BusinessEvent"')
    finally:
        await admin.close()

    assert stored == site.accepted
    assert (value(page, 'own_events_total{name="user_signup"}') or 0) == stored
    assert (value(page, 'chatterfy_query_late_rows{query="events"}') or 0) == 0
