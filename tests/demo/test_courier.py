"""The toy's way to a real exporter: everything that it tells arrives, once, and only while the exporter is there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest
import pytest_asyncio

from exporter.demo.courier import Courier
from exporter.demo.notes import Notes
from exporter.demo.posting import Endpoints
from exporter.demo.world import World
from tests.support.clock import QuickClock
from tests.support.running import Running, running, total, value

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = "DEMO_INGEST_TOKEN"
TABLES = ("BusinessEvent", "Metric")
LAST = (
    'chatterfy_posthog_events_total{event="$pageview"}',
    'chatterfy_sentry_events_total{environment="demo",level="error",project="api"}',
)
"""What comes to the page last: of an opened page, and of a note."""
DAILY = (
    'chatterfy_sentry_checkins_total{monitor="daily-metrics",status="ok"}',
    'chatterfy_deploys_total{environment="demo",status="succeeded"}',
)
"""What the toy tells by itself."""


def endpoints(world: World, url: str) -> Endpoints:
    return Endpoints(url, world.environment[TOKEN], world.sites.web.url, world.channels.app_dsn, "demo")


@asynccontextmanager
async def exporting(world: World, port: int = 0):
    """The exporter as the demo has it, with an ingest listener at this port."""
    path = world.folder / "courier.yml"
    path.write_text(world.config.replace("listen: 127.0.0.1:0\n  url:", f"listen: 127.0.0.1:{port}\n  url:"))
    async with running(path, world.environment) as it:
        yield it


@asynccontextmanager
async def bringing(courier: Courier):
    task = asyncio.create_task(courier.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest_asyncio.fixture(loop_scope="session")
async def noted(world) -> AsyncIterator[Callable[[], Notes]]:
    """Notes something of every kind, which is gone from the tables afterwards: no user's message stands behind it."""
    made: list[Notes] = []

    def note() -> Notes:
        notes = Notes()
        notes.event("chat_message", orgId="o", provider="google", model="gemini-flash", tokens=7)
        notes.request("/v1/chat/completions", "POST", 812.5, 500)
        made.append(notes)
        return notes

    yield note
    for table in TABLES:
        await world.database.pool.execute(f'DELETE FROM "{table}" WHERE id = ANY($1)', ids(*made))


def ids(*made: Notes) -> list[str]:
    return [item["id"] for notes in made for item in (*notes.events, *notes.requests)]


async def stored(world: World, notes: Notes) -> list[int]:
    """How many of the notes are in each table."""
    sql = 'SELECT count(*) FROM "{}" WHERE id = ANY($1)'
    return [await world.database.pool.fetchval(sql.format(table), ids(notes)) for table in TABLES]


async def arrived(it: Running, *more: str) -> str:
    """The page once a note has come whole, with `more`, and a page was opened too, which comes by chance."""
    return await it.until(lambda page: all(value(page, series) for series in (*LAST, *more)))


async def test_everything_arrives_where_it_belongs(world, noted):
    notes = noted()
    async with exporting(world) as it:
        courier = Courier(endpoints(world, it.app.ingest_url), QuickClock(), Random(1), set())
        courier.take(notes)
        async with bringing(courier):
            page = await arrived(it, *DAILY)

    assert await stored(world, notes) == [1, 1]
    assert value(page, 'chatterfy_events_total{event="chat_message"}') == 1
    assert value(page, 'chatterfy_chat_response_seconds_count{model="gemini-flash",provider="google"}') == 1
    assert value(page, 'chatterfy_posthog_events_total{event="chat_message_sent"}') == 1
    assert value(page, 'chatterfy_posthog_events_total{event="$pageview"}') >= 1
    assert value(page, 'chatterfy_sentry_events_total{environment="demo",level="error",project="api"}') == 1
    assert value(page, 'chatterfy_sentry_checkins_total{monitor="daily-metrics",status="ok"}') == 1
    assert value(page, 'chatterfy_deploys_total{environment="demo",status="succeeded"}') == 1
    assert total(page, "chatterfy_ingest_rejected_total") == 0
    assert total(page, "chatterfy_series_dropped_total") == 0
    assert {event.payload["level"] for event in world.channels.sentry.errors} == {"error"}
    assert "deployed to demo successfully" in world.channels.slack.messages[-1].text


async def test_while_the_exporter_is_away_what_servers_tell_waits_and_what_browsers_tell_is_lost(
    world, noted, unused_tcp_port, eventually
):
    told: list[str | None] = []

    async def last() -> str | None:
        return told[-1] if told else ""

    notes, later = noted(), noted()
    url = f"http://127.0.0.1:{unused_tcp_port}"
    courier = Courier(endpoints(world, url), QuickClock(), Random(1), set(), told.append)
    courier.take(notes)
    async with bringing(courier):
        await eventually(last, bool)
        async with exporting(world, unused_tcp_port) as it:
            await eventually(last, lambda it: it is None)
            courier.take(later)
            page = await arrived(it)
        courier.take(noted())
        await eventually(last, bool)

    assert await stored(world, notes) == await stored(world, later) == [1, 1]
    assert value(page, 'chatterfy_events_total{event="chat_message"}') == 2
    assert value(page, 'chatterfy_chat_response_seconds_count{model="gemini-flash",provider="google"}') == 1
    assert value(page, 'chatterfy_sentry_events_total{environment="demo",level="error",project="api"}') == 1
    assert [bool(problem) for problem in told] == [True, False, True]
    assert f"{url}/v1/events: " in str(told[0])
