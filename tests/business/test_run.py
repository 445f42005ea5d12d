"""Queries of a running exporter: each alone, switched off and on again, and gone without a trace."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from exporter.business.gauge import Gauge
from exporter.business.query import load_query
from exporter.business.run import QueryTask
from exporter.metrics.store import Store
from exporter.schedule import Outcome
from exporter.tables import Tables, TablesOptions
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool
from tests.support.audit import INSERT_MESSAGE, INSERT_REQUEST, audited_database
from tests.support.running import running, value

OWN = """-- metric: own_{name}
-- help: Something of one's own.
-- reads: [{reads}]
-- every: 1s
-- timeout: 500ms
SELECT {select}
"""
ENABLED = 'chatterfy_query_enabled{query="%s"}'
FAILED = 'chatterfy_job_failures_total{reason="%s",task="%s"}'


@pytest.fixture
async def url(server):
    async with audited_database(server) as url:
        yield url


@pytest.fixture
async def connection(url):
    connection = await asyncpg.connect(url)
    yield connection
    connection.terminate()


@pytest.fixture
def configured(config, tmp_path: Path, url):
    """A configuration with queries of one's own, `name: (reads, select)`; some shipped ones run every second."""

    def write(own: dict[str, tuple[str, str]] | None = None, more: str = ""):
        folder = tmp_path / "queries"
        folder.mkdir(exist_ok=True)
        for name, (reads, select) in (own or {}).items():
            (folder / f"{name}.sql").write_text(OWN.format(name=name, reads=reads, select=select))
        return config(
            f"listen: 127.0.0.1:0\nlog: {{level: error}}\ndatabase: {{url: {{env: DB}}}}\n"
            f"queries: {{folders: [queries], every: {{messages: 1s, users: 1s, orgs: 1s}}}}\n{more}"
        )

    return write


async def backends(connection) -> int:
    ours = "SELECT FROM pg_stat_activity WHERE application_name = 'chatterfy-exporter'"
    return len(await connection.fetch(ours))


async def until(condition, within=10.0):
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_every_shipped_query_runs_and_is_counted(configured, url, connection):
    await connection.execute(INSERT_MESSAGE, "one", "openai", 3, 3600.0)
    async with running(configured(), {"DB": url}) as it:
        page = await it.until(lambda page: page.count('chatterfy_job_last_success_timestamp_seconds{task="') >= 17)
        status = (await it.get("/"))[1]

    assert value(page, 'chatterfy_messages_total{model="m",provider="openai"}') == 1
    assert value(page, "chatterfy_users") == 1
    assert value(page, 'chatterfy_subscriptions{plan="PRO",status="active"}') == 0
    assert [
        line for line in page.splitlines() if line.startswith("chatterfy_query_enabled") and line.endswith(" 0.0")
    ] == []
    assert "Needs attention" in status
    assert "CREATE INDEX CONCURRENTLY" in status


async def test_a_query_that_sleeps_delays_no_other_and_is_gone_from_the_server_in_time(configured, url, connection):
    own = {f"sleeper{number}": ("org", "count(*) AS value FROM org, pg_sleep(60)") for number in range(2)}
    async with running(configured(own), {"DB": url}) as it:
        page = await it.until(lambda page: (value(page, FAILED % ("timeout", "sleeper0")) or 0) >= 3)
        asleep = await connection.fetchval(
            "SELECT max(extract(epoch FROM clock_timestamp() - query_start))::float8 FROM pg_stat_activity"
            " WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
        )
        most = await backends(connection)
        stopping = asyncio.get_running_loop().time()
    took = asyncio.get_running_loop().time() - stopping

    async def none_left():
        return await backends(connection) == 0

    await until(none_left, within=2)
    assert value(page, 'chatterfy_job_runs_total{task="users"}') >= 2
    assert value(page, FAILED % ("timeout", "users")) == 0
    assert (asleep or 0) < 0.5 + 1
    assert most <= 4
    assert took < 5


async def test_more_that_sleep_than_there_are_connections_fail_with_pool_and_queue_nowhere(configured, url, connection):
    own = {f"sleeper{number}": ("org", "count(*) AS value FROM org, pg_sleep(60)") for number in range(6)}
    text = configured(own).read_text().replace("timeout: 500ms", "")
    path = configured(own)
    path.write_text(text)
    for number in range(6):
        file = path.parent / f"queries/sleeper{number}.sql"
        file.write_text(file.read_text().replace("every: 1s", "every: 5s").replace("timeout: 500ms", "timeout: 4s"))
    async with running(path, {"DB": url}) as it:
        page = await it.until(
            lambda page: (
                ',task="sleeper' in page
                and 'reason="pool",task="' in page
                and any((value(page, FAILED % ("pool", f"sleeper{number}")) or 0) > 0 for number in range(6))
            )
        )
        most = await backends(connection)

    assert most <= 4
    assert 'chatterfy_job_runs_total{task="process"}' in page


async def test_a_lock_delays_only_the_query_that_needs_the_table(configured, url, connection):
    own = {"locked": ("org", "count(*) AS value FROM org"), "free": ("message", "count(*) AS value FROM message")}
    async with running(configured(own), {"DB": url}) as it:
        await it.until("own_locked 0.0")
        await connection.execute('BEGIN; LOCK TABLE "Org" IN ACCESS EXCLUSIVE MODE')
        during = await it.until(lambda page: (value(page, FAILED % ("timeout", "locked")) or 0) >= 1)
        await connection.execute("ROLLBACK")
        runs = value(await it.page(), 'chatterfy_job_runs_total{task="locked"}')
        after = await it.until(lambda page: value(page, 'chatterfy_job_runs_total{task="locked"}') > runs + 1)

    assert value(during, FAILED % ("timeout", "free")) == 0
    assert value(during, "own_free") == 0
    assert value(after, "own_locked") == 0


async def test_a_missing_column_switches_off_its_queries_alone_and_a_migration_heals_them(configured, url, connection):
    await connection.execute('ALTER TABLE "Org" RENAME COLUMN "planCode" TO "planKode"')
    path = configured()
    async with running(path, {"DB": url}) as it:
        off = await it.until(lambda page: value(page, ENABLED % "orgs") == 0)
        status = (await it.get("/"))[1]
        await connection.execute('ALTER TABLE "Org" RENAME COLUMN "planKode" TO "planCode"')
        await it.business.check()
        on = await it.until('chatterfy_orgs{plan="FREE"} 0.0')
        await connection.execute('ALTER TABLE "Org" RENAME COLUMN "planCode" TO "planKode"')
        await it.business.check()
        off_again = await it.until(lambda page: value(page, ENABLED % "orgs") == 0 and "chatterfy_orgs{" not in page)

    assert value(off, ENABLED % "users") == 1
    assert "planKode" in status
    assert value(on, ENABLED % "orgs") == 1
    assert value(off_again, ENABLED % "messages") == 1


async def test_a_failing_query_loses_its_gauge_when_that_is_stale_and_comes_back_by_itself(configured, url, connection):
    await connection.execute("INSERT INTO \"Org\" (id, name) VALUES ('o', 'o')")
    path = configured({"fragile": ("org", "6 / count(*) AS value FROM org")})
    async with running(path, {"DB": url}) as it:
        await it.until("own_fragile 6.0")
        await connection.execute('DELETE FROM "Org"')
        failed = await it.until(lambda page: (value(page, FAILED % ("query", "fragile")) or 0) >= 1)
        await it.until(lambda page: value(page, "own_fragile") is None)
        await connection.execute("INSERT INTO \"Org\" (id, name) VALUES ('a', 'a'), ('b', 'b')")
        back = await it.until("own_fragile 3.0")

    assert value(failed, "own_fragile") == 6
    assert value(back, FAILED % ("query", "fragile")) >= 3


async def test_a_counter_outlives_its_table(configured, url, connection):
    await connection.execute(INSERT_MESSAGE, "one", "openai", 3, 3600.0)
    series = 'chatterfy_messages_total{model="m",provider="openai"}'
    async with running(configured(), {"DB": url}) as it:
        await it.until(f"{series} 1.0")
        await connection.execute('ALTER TABLE "Message" RENAME TO "Mezzage"')
        await it.business.check()
        page = await it.until(lambda page: value(page, ENABLED % "messages") == 0)

    assert value(page, series) == 1


async def test_a_gauge_beyond_its_cap_keeps_its_sum_and_tells_what_was_folded(configured, url, connection):
    path = configured({"many": ("message", "model, count(*) AS value FROM message GROUP BY 1")})
    file = path.parent / "queries/many.sql"
    file.write_text(file.read_text().replace("-- every", "-- labels: [model]\n-- cap: 1\n-- every"))
    for number, model in enumerate(("a", "b", "b", "c")):
        await connection.execute(INSERT_MESSAGE.replace("'m'", f"'{model}'"), str(number), "openai", 1, 0.0)
    async with running(path, {"DB": url}) as it:
        page = await it.until('own_many{model="other"}')

    assert value(page, 'own_many{model="b"}') == 2
    assert value(page, 'own_many{model="other"}') == 2
    assert value(page, 'chatterfy_series_dropped_total{metric="own_many"}') >= 2


async def test_rules_of_ones_own_for_paths_come_before_the_built_in_ones(configured, url, connection):
    await connection.execute(INSERT_REQUEST.replace("/v1/orgs/17", "/v1/files/report.pdf"), "one", 5.0)
    path = configured()
    path.write_text(
        path.read_text().replace("every:", "paths: [{match: '/files/.*', replace: '/files/:name'}], every:")
    )
    async with running(path, {"DB": url}) as it:
        page = await it.until('chatterfy_http_requests_total{endpoint="/v1/files/:name"')

    assert value(page, 'chatterfy_http_requests_total{endpoint="/v1/files/:name",method="GET",status="200"}') == 1


async def test_without_a_database_it_starts_and_every_query_says_why(configured, unused_tcp_port):
    dead = f"postgresql://a:planted-password@127.0.0.1:{unused_tcp_port}/a"
    async with running(configured(), {"DB": dead}) as it:
        page = await it.until(lambda page: (value(page, FAILED % ("connect", "users")) or 0) >= 1)

    assert value(page, ENABLED % "users") == 1
    assert "planted-password" not in page


async def test_a_reload_changes_queries_and_leaves_nothing_of_the_old_ones(configured, url):
    path = configured({"mine": ("org", "count(*) AS value FROM org")})
    async with running(path, {"DB": url}) as it:
        await it.until("own_mine 0.0")
        path.write_text(path.read_text().replace("folders: [queries]", "disable: [users]"))

        await it.post("/-/reload")

        page = await it.until(lambda page: "own_mine" not in page and 'chatterfy_orgs{plan="FREE"} 0.0' in page)
        path.write_text("listen: 127.0.0.1:0\n")
        await it.post("/-/reload")
        empty = await it.until(lambda page: "chatterfy_orgs" not in page)

    assert ENABLED % "users" not in page
    assert 'task="mine"' not in page
    assert "chatterfy_query_enabled" not in empty
    assert 'task="messages"' not in empty
    assert 'task="process"' in empty


async def test_a_reload_to_a_state_that_cannot_be_kept_says_so_in_answer_and_metric(configured, url):
    path = configured()
    async with running(path, {"DB": url}) as it:
        path.write_text(path.read_text() + "state: {path: no/such/folder/state.sqlite}\n")

        status, body = await it.post("/-/reload")

        page = await it.until("chatterfy_config_last_reload_successful 0.0")

    assert status == 422
    assert body.startswith("state.path: ")
    assert "chatterfy_query_enabled" not in page


async def test_the_daily_table_is_written_when_it_is_switched_on(configured, url, connection):
    await connection.execute(INSERT_MESSAGE, "one", "openai", 3, 86400.0)
    await connection.execute(INSERT_MESSAGE, "two", "openai", 3, 0.0)  # yesterday's, where midnight passes meanwhile
    path = configured(more="daily: {enabled: true}\n")
    async with running(path, {"DB": url}) as it:
        page = await it.until("chatterfy_daily_messages 1.0")

    assert value(page, "chatterfy_daily_new_users") == 0
    assert await connection.fetchval('SELECT count(*) FROM "DailyMetrics"') == 2


async def test_the_last_days_are_counted_again_after_a_start(configured, url, connection):
    path = configured()
    async with running(path, {"DB": url}) as it:
        await it.until('chatterfy_query_horizon_timestamp_seconds{query="messages"}')
    await connection.execute(INSERT_MESSAGE, "late", "openai", 3, 86400.0)

    async with running(path, {"DB": url}) as it:
        await it.until('chatterfy_query_late_rows{query="messages"} 1.0')
        page = await it.until('chatterfy_messages_total{model="m",provider="openai"} 1.0')
        await it.business.recount_daily()

        again = await it.page()

    assert value(page, 'chatterfy_query_late_rows{query="messages"}') == 1
    assert value(again, 'chatterfy_query_late_rows{query="messages"}') == 1  # once a day


async def test_a_state_that_cannot_be_kept_is_one_clear_line(config, url):
    path = config("database: {url: {env: DB}}\nstate: {path: no/such/folder/state.sqlite}\nlisten: 127.0.0.1:0\n")

    with pytest.raises(Exception, match=r"state\.path: .*/no/such/folder/state\.sqlite cannot be used: unable to open"):
        async with running(path, {"DB": url}):
            pass


@pytest.mark.fast
async def test_a_query_is_read_ahead_so_that_the_page_is_never_older_than_every(tmp_path, clock):
    path = tmp_path / "it.sql"
    path.write_text(OWN.format(name="it", reads="message", select="1 AS value"))
    pool = Pool(parse_database_url("postgresql://127.0.0.1/it"), 1, clock)
    gauge = Gauge(load_query(path), Tables.of(TablesOptions(), "public"), pool, Store(100))
    task = QueryTask(gauge, 15.0, 60.0, Store(100), clock)
    intervals = []

    for outcome in (Outcome(0, 0.25), Outcome(0, 11.0), Outcome(0, 11.0, "query")):
        task.settle(outcome)
        intervals.append(task.interval)

    assert intervals == [13.5, 11.25, 15.0]
