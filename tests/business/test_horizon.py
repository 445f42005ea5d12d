"""The horizon: counters equal what was ever committed, and never go down."""

import asyncio
import sqlite3
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from exporter.business.horizon import Counter, new_horizon
from exporter.business.query import load_query
from exporter.business.state import StateFile
from exporter.clock import SystemClock
from exporter.errors import Failed
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.tables import Tables, TablesOptions
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool
from tests.support.audit import INSERT_MESSAGE, LATE, Writers, audited, audited_database
from tests.support.running import value

TABLES = Tables.of(TablesOptions(), "public")
MESSAGES = """-- metric: own_messages_total
-- kind: counter
-- help: Messages.
-- reads: [message]
-- labels: [provider, model]
-- time: message.created_at
-- settle: {settle}
SELECT provider, model, count(*) AS value FROM message GROUP BY 1, 2
"""
TOKENS = MESSAGES.replace("own_messages", "own_tokens").replace("count(*)", "sum(tokens)")
REQUESTS = """-- metric: own_seconds
-- kind: histogram
-- help: How long.
-- reads: [api_request]
-- labels: [endpoint, method]
-- time: api_request.created_at
-- settle: {settle}
-- buckets: [0.005, 0.5, 2]
-- normalise: {{endpoint: path}}
SELECT endpoint, method, duration / 1000.0 AS value FROM api_request
"""
SKEW = 0.1


class Counters:
    """Counters over one database with a state file, as one process of the exporter has them."""

    def __init__(self, folder, url, texts, *, settle="300ms", state="state.sqlite", **options):
        self.state = StateFile(folder / state)
        self.store = Store(1000)
        self.page = Page(self.store)
        self.pool = Pool(parse_database_url(url), 2, SystemClock())
        self.counters = []
        for name, text in texts.items():
            path = folder / f"{name}.sql"
            path.write_text(text.format(settle=settle))
            options = {"skew": SKEW, **options}
            self.counters.append(Counter(load_query(path), TABLES, self.pool, self.state, self.store, **options))

    async def refresh(self):
        for counter in self.counters:
            await counter.refresh(10)
        return await self.text()

    async def recount(self):
        for counter in self.counters:
            await counter.recount(10)
        return await self.text()

    async def text(self):
        await self.page.refresh()
        return self.page.text.plain.decode()

    def horizon(self):
        """Epoch seconds before which every counter has closed."""
        shown = self.page.text.plain.decode()
        names = (f'chatterfy_query_horizon_timestamp_seconds{{query="{each.query.name}"}}' for each in self.counters)
        return min(value(shown, name) if name in shown else 0.0 for name in names)

    async def close(self):
        await self.pool.close()
        await self.state.close()


def series(page):
    """Every series of the tests' own metrics with its value."""
    lines = (line.rpartition(" ") for line in page.splitlines() if line.startswith("own_"))
    return {name: float(number) for name, _, number in lines}


def counted(page, metric):
    prefix = f"own_{metric}_total{{"
    found = {}
    for name, number in series(page).items():
        if name.startswith(prefix):
            labels = dict(pair.split("=") for pair in name[len(prefix) : -1].split(","))
            found[labels["provider"].strip('"'), labels["model"].strip('"')] = number
    return found


@pytest.fixture
async def url(postgres_cluster):
    async with audited_database(postgres_cluster) as url:
        yield url


@pytest.fixture
async def connection(url):
    connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


@pytest.fixture
async def counters(tmp_path, url):
    made = []

    def make(texts=None, **options):
        made.append(Counters(tmp_path, options.pop("url", url), texts or {"messages": MESSAGES}, **options))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def rows(url):
    connection = await asyncpg.connect(url)
    number = await connection.fetchval('SELECT count(*) FROM "Message"')
    await connection.close()
    return number


async def insert(connection, key, ago, provider="openai", tokens=1):
    await connection.execute(INSERT_MESSAGE, key, provider, tokens, float(ago))


@asynccontextmanager
async def writing(writers):
    task = asyncio.create_task(writers.run())
    try:
        yield
    finally:
        writers.writing = False
        await task


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_under_random_writers_every_counter_ends_as_the_audit_has_it_and_never_went_down(counters, url, seed):
    mine = counters({"messages": MESSAGES, "tokens": TOKENS, "requests": REQUESTS})
    before: dict[str, float] = {}
    began = datetime.now(UTC).timestamp()
    async with writing(Writers(url, seed, skew=SKEW / 2, fresh=0.3, horizon=mine.horizon)):
        until = time.monotonic() + 5
        while time.monotonic() < until:
            now = series(await mine.refresh())
            assert {name: number for name, number in before.items() if now[name] < number} == {}
            before = now

    await mine.refresh()
    await mine.recount()
    page = await mine.refresh()
    truth = await audited(url)

    assert counted(page, "messages") == truth["messages"]
    assert truth["messages"][LATE, "m"] > 0
    assert await rows(url) < sum(truth["messages"].values())  # some were deleted
    assert counted(page, "tokens") == truth["tokens"]
    assert value(page, 'chatterfy_query_horizon_timestamp_seconds{query="messages"}') > began + 2  # rows were closed
    bucket = 'own_seconds_bucket{endpoint="/v1/orgs/:id",le="%s",method="GET"}'
    below = sum(number for (seconds,), number in truth["requests"].items() if float(seconds) <= 0.005)
    assert value(page, bucket % "0.005") == below
    assert value(page, bucket % "+Inf") == sum(truth["requests"].values())
    seconds = sum(float(seconds) * number for (seconds,), number in truth["requests"].items())
    assert value(page, 'own_seconds_sum{endpoint="/v1/orgs/:id",method="GET"}') == pytest.approx(seconds)


async def test_a_long_transaction_holds_the_horizon_and_its_rows_are_counted(counters, url, connection):
    mine = counters(settle="50ms")
    other = await asyncpg.connect(url)
    late = other.transaction()
    await late.start()
    await insert(other, "late", 0)
    await connection.execute("SELECT pg_sleep(0.4)")
    await insert(connection, "early", 0)
    first = counted(await mine.refresh(), "messages")
    await late.commit()
    await other.close()

    second = counted(await mine.refresh(), "messages")

    assert (first, second) == ({("openai", "m"): 1}, {("openai", "m"): 2})


async def test_a_state_outlives_the_process_and_a_refresh_that_is_repeated_changes_nothing(counters, connection):
    for number in range(5):
        await insert(connection, str(number), 86400 * number)
    first = counters()
    one = await first.refresh()

    again = await counters().refresh()

    assert counted(one, "messages") == counted(again, "messages") == {("openai", "m"): 5}


async def test_deletes_and_edits_never_lower_a_counter_and_later_rows_still_count(counters, connection):
    mine = counters(settle="1h")
    for number in range(4):
        await insert(connection, str(number), 0)
    await insert(connection, "old", 86400 * 3)
    before = counted(await mine.refresh(), "messages")
    await connection.execute("DELETE FROM \"Message\" WHERE id IN ('0', '1', 'old')")

    after = counted(await mine.refresh(), "messages")
    restarted = counted(await counters(settle="1h").refresh(), "messages")
    await insert(connection, "new", 0)
    later = counted(await mine.refresh(), "messages")

    assert before == after == restarted == {("openai", "m"): 5}
    assert later == {("openai", "m"): 6}


async def test_rows_behind_the_horizon_are_found_by_the_recount_and_missing_ones_only_told(counters, connection):
    mine = counters()
    for number in range(6):
        await insert(connection, str(number), 86400 * number)
    await mine.refresh()
    await insert(connection, "backfilled", 86400 * 2)
    await insert(connection, "too old", 86400 * 30)
    await connection.execute("DELETE FROM \"Message\" WHERE id = '5'")
    unseen = counted(await mine.refresh(), "messages")

    with capture_logs() as logs:
        page = await mine.recount()
        found = counted(await mine.refresh(), "messages")
        again = await mine.recount()

    assert unseen == {("openai", "m"): 6}
    assert found == {("openai", "m"): 7}
    assert value(page, 'chatterfy_query_late_rows{query="messages"}') == 1
    assert value(again, 'chatterfy_query_late_rows{query="messages"}') == 0
    assert [entry["amount"] for entry in logs if entry["event"] == "query.rows_missing"] == ["1", "1"]


async def test_a_recount_before_the_first_count_does_nothing(counters):
    page = await counters().recount()

    assert "late_rows" not in page


async def test_counting_can_begin_now(counters, connection):
    await insert(connection, "before", 3600)
    mine = counters(from_now=True)
    first = await mine.refresh()
    await insert(connection, "after", 0)

    second = await mine.refresh()
    await insert(connection, "long before", 7200)
    third = await mine.recount()

    assert counted(first, "messages") == {}
    assert counted(second, "messages") == {("openai", "m"): 1}
    assert value(third, 'chatterfy_query_late_rows{query="messages"}') == 0


async def test_the_horizon_is_on_the_page_and_moves(counters, connection):
    mine = counters(settle="10m")
    await insert(connection, "one", 3600)
    page = await mine.refresh()

    horizon = value(page, 'chatterfy_query_horizon_timestamp_seconds{query="messages"}')

    assert horizon == pytest.approx((datetime.now(UTC) - timedelta(minutes=10)).timestamp(), abs=5)


async def test_another_statement_counts_anew(counters, connection):
    await insert(connection, "one", 3600)
    await counters().refresh()

    page = await counters({"messages": MESSAGES.replace("count(*)", "2 * count(*)")}).refresh()

    assert counted(page, "messages") == {("openai", "m"): 2}


async def test_a_state_that_cannot_be_written_changes_nothing_and_heals(counters, connection, tmp_path):
    mine = counters()
    await insert(connection, "one", 3600)
    await mine.refresh()
    lock = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    await insert(connection, "two", 3600)

    with pytest.raises(Failed, match="internal: the state cannot be written"):
        await mine.refresh()
    before = counted(await mine.text(), "messages")
    lock.execute("ROLLBACK")
    lock.close()
    await insert(connection, "three", 0)
    after = counted(await mine.refresh(), "messages")

    assert before == {("openai", "m"): 1}
    assert after == {("openai", "m"): 2}  # "two" came behind the horizon, and waits for the recount


async def test_without_pg_monitor_the_settling_time_alone_decides_with_a_warning(
    counters, url, connection, postgres_cluster
):
    await connection.execute(
        "CREATE ROLE blind LOGIN PASSWORD 'blind-password'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO blind"
    )
    await insert(connection, "one", 3600)
    try:
        mine = counters(url=url.replace("postgres:super", "blind:blind-password"))
        with capture_logs() as logs:
            page = await mine.refresh()
            await mine.refresh()
            await mine.close()
    finally:
        await connection.execute("DROP OWNED BY blind; DROP ROLE blind")

    assert counted(page, "messages") == {("openai", "m"): 1}
    assert sum(entry["event"] == "query.blind" for entry in logs) == 1


async def test_label_sets_beyond_the_cap_add_up_to_other_and_are_told(counters, connection):
    mine = counters({"messages": MESSAGES.replace("-- settle", "-- cap: 2\n-- settle")})
    for provider in ("a", "b", "c", "d"):
        await insert(connection, provider, 3600, provider)

    page = await mine.refresh()

    assert sum(counted(page, "messages").values()) == 4
    assert len(counted(page, "messages")) == 3
    assert value(page, 'chatterfy_series_dropped_total{metric="own_messages_total"}') == 2


async def test_on_a_standby_counters_work_and_close_only_what_has_been_replayed(tmp_path, postgres):
    async with audited_database(postgres) as url:
        connection = await asyncpg.connect(url)
        await insert(connection, "one", 3600)
        await connection.close()
        with postgres.standby():
            mine = Counters(tmp_path, url, {"messages": MESSAGES})
            pages = [await mine.refresh(), await mine.refresh()]
            await mine.close()

    assert [counted(page, "messages") for page in pages] == [{("openai", "m"): 1}] * 2


async def test_a_streaming_standby_counts_what_it_has_replayed_and_finds_late_rows_by_the_recount(
    tmp_path, postgres_cluster, url, connection
):
    await insert(connection, "one", 3600)
    with postgres_cluster.replica() as replica:
        there = url.replace(f":{postgres_cluster.port}/", f":{replica.port}/")
        mine = Counters(tmp_path, there, {"messages": MESSAGES})
        first = await replayed(mine, connection, there, "two")
        await insert(connection, "late", 3600)  # as one that was committed late on the primary, invisible here
        second = await replayed(mine, connection, there, "three")
        page = await mine.recount()
        third = counted(await mine.refresh(), "messages")
        await mine.close()

    assert (first, second, third) == ({("openai", "m"): 2}, {("openai", "m"): 3}, {("openai", "m"): 4})
    assert value(page, 'chatterfy_query_late_rows{query="messages"}') == 1


async def replayed(mine, primary, there, key):
    """Writes a row, waits until the standby has it, and counts there."""
    await insert(primary, key, 0)
    standby = await asyncpg.connect(there)
    async with asyncio.timeout(10):
        while not await standby.fetchval('SELECT count(*) FROM "Message" WHERE id = $1', key):
            await asyncio.sleep(0.02)
    await standby.close()
    return counted(await mine.refresh(), "messages")


SERVER = {"standby": False, "replayed": None, "prepared": False, "oldest": None}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SETTLED = NOON - timedelta(seconds=60)
BEFORE = NOON - timedelta(hours=1)


@pytest.mark.parametrize(
    ("old", "facts", "expected"),
    [
        (None, {}, SETTLED),
        (BEFORE, {}, SETTLED),
        (NOON, {}, NOON),
        (BEFORE, {"oldest": NOON - timedelta(minutes=30)}, NOON - timedelta(minutes=30, seconds=SKEW)),
        (BEFORE, {"oldest": NOON - timedelta(hours=2)}, BEFORE),
        (BEFORE, {"prepared": True}, BEFORE),
        (None, {"prepared": True}, SETTLED),
        (BEFORE, {"standby": True, "replayed": NOON - timedelta(minutes=5)}, NOON - timedelta(minutes=6)),
        (BEFORE, {"standby": True}, BEFORE),
        (None, {"standby": True}, SETTLED),
    ],
)
@pytest.mark.fast
def test_the_new_horizon_lies_before_all_that_may_still_come(old, facts, expected):
    server = {"now": NOON, **SERVER, **facts}

    assert new_horizon(old, server, timedelta(seconds=60), timedelta(seconds=SKEW)) == expected
