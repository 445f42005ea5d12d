"""The live traffic: it flows, outlives a database outage, and cancels on in an outage of churn."""

import asyncio
from contextlib import asynccontextmanager
from random import Random

import pytest

from exporter.clock import SystemClock
from exporter.demo.outages import Outage
from exporter.demo.traffic import RETRY_SECONDS, Traffic
from exporter.demo.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


class HurriedClock(SystemClock):
    """Sleeps a thousandth of what it is asked for, and remembers what that was."""

    def __init__(self) -> None:
        self.slept: set[float] = set()

    async def sleep(self, seconds: float) -> None:
        self.slept.add(seconds)
        await super().sleep(seconds / 1000)


@asynccontextmanager
async def traffic(world: World, clock: SystemClock, broken: set[Outage]):
    task = asyncio.create_task(Traffic(world.database.pool, clock, Random(1), broken).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def count(world: World, table: str, condition: str = "true"):
    """How many rows there are, asked anew each time."""

    async def ask() -> int:
        return int(await world.database.pool.fetchval(f'SELECT count(*) FROM "{table}" WHERE {condition}'))

    return ask


async def test_the_world_is_alive(world, eventually):
    requests = count(world, "Metric")
    before = await requests()

    await eventually(requests, lambda now: now > before)


async def test_messages_requests_and_events_keep_coming(world, eventually):
    counts = [count(world, table) for table in ("Message", "Metric", "BusinessEvent")]
    before = [await ask() for ask in counts]

    async with traffic(world, HurriedClock(), set()):
        for ask, then in zip(counts, before, strict=True):
            await eventually(ask, lambda now, then=then: now > then)


async def test_traffic_waits_for_a_database_that_is_away_and_goes_on(world, eventually):
    clock = HurriedClock()
    requests = count(world, "Metric")

    async def waiting() -> bool:
        return RETRY_SECONDS in clock.slept

    async with traffic(world, clock, set()):
        await world.break_(Outage.DATABASE)
        try:
            await eventually(waiting, bool)
        finally:
            await world.mend(Outage.DATABASE)
        before = await requests()
        await eventually(requests, lambda now: now > before)


async def test_subscriptions_keep_being_cancelled_in_an_outage_of_churn(world, eventually):
    cancelled = count(world, "Subscription", "status = 'canceled'")
    before = await cancelled()

    async with traffic(world, HurriedClock(), {Outage.CHURN}):
        await eventually(cancelled, lambda now: now > before + 2)
