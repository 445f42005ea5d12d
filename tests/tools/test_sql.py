"""The few connections that all queries share."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from exporter.clock import SystemClock
from exporter.errors import Failed
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import IDLE, Pool


@pytest.fixture
async def pool(postgres):
    pool = Pool(parse_database_url(postgres.url()), 2, SystemClock())
    yield pool
    await pool.close()


async def test_a_pool_that_was_never_used_closes(postgres):
    await Pool(parse_database_url(postgres.url()), 2, SystemClock()).close()


async def test_who_waits_too_long_for_a_connection_fails_with_pool(pool):
    async with pool.transaction("BEGIN", 5), pool.transaction("BEGIN", 5):
        with pytest.raises(Failed, match="pool: waited 1 s for one of the exporter's own connections"):
            async with pool.transaction("BEGIN", 5):
                pass


async def test_a_failed_statement_gives_its_connection_back(pool):
    for _ in range(5):
        with pytest.raises(Failed, match="query: "):
            async with pool.transaction("BEGIN READ ONLY", 5) as connection:
                await connection.fetch("SELECT nonsense")

    async with pool.transaction("BEGIN READ ONLY", 5) as connection:
        assert await connection.fetchval("SELECT 1") == 1


class Leap(SystemClock):
    """A clock that can be set ahead."""

    ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead


async def test_a_connection_is_used_again_unless_it_has_rested_for_long_or_is_closed(postgres):
    clock = Leap()
    pool = Pool(parse_database_url(postgres.url()), 2, clock)

    async def session():
        async with pool.transaction("BEGIN", 5) as connection:
            return await connection.fetchval("SELECT pg_backend_pid()")

    first, again = await session(), await session()
    clock.ahead += IDLE + 1
    rested = await session()
    await postgres.execute(f"SELECT pg_terminate_backend({rested}, 1000)")
    after = None
    while after is None:
        with suppress(Failed):  # where the connection's end has not been read yet
            after = await session()
    await pool.close()

    assert first == again
    assert len({first, rested, after}) == 3


async def test_a_refused_connection_costs_no_place(postgres):
    pool = Pool(parse_database_url(postgres.url(password="wrong-password")), 1, SystemClock())

    for _ in range(3):
        with pytest.raises(Failed, match="auth: "):
            async with pool.transaction("BEGIN", 5):
                pass

    await pool.close()


async def test_what_is_cancelled_is_gone_from_the_server_when_the_pool_is_closed(pool, postgres):
    async def sleep():
        async with pool.transaction("BEGIN", 60) as connection:
            await connection.execute("SELECT pg_sleep(60)")

    watcher = await asyncpg.connect(postgres.url())
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
    task = asyncio.create_task(sleep())
    async with asyncio.timeout(5):
        while not await watcher.fetchval(sleeping):
            await asyncio.sleep(0.02)

    task.cancel()
    await asyncio.wait([task])
    await pool.close()

    async with asyncio.timeout(2):
        while await watcher.fetchval(sleeping):
            await asyncio.sleep(0.02)
    await watcher.close()


async def test_a_server_that_hangs_holds_nobody_up_for_long(pool, postgres):
    async with pool.transaction("BEGIN", 5):
        pass
    postgres.freeze()
    began = asyncio.get_running_loop().time()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5), pool.transaction("BEGIN", 0.5):
            pass
    await pool.close()

    assert asyncio.get_running_loop().time() - began < 0.5 + 2 + 1
