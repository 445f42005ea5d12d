"""What is accepted is stored once, in the database, or on the disk until the database is there."""

import asyncio
import re
import sqlite3
from datetime import UTC, datetime

import asyncpg
import pytest
from structlog.testing import capture_logs

from exporter.business.rights import keeper
from exporter.errors import ExporterError
from exporter.ingest.durable.spool import Spool
from exporter.ingest.durable.target import COLUMNS
from exporter.limits import Rejected
from exporter.tables import Tables, TablesOptions
from tests.support.keeping import keeping, signup, signups
from tests.support.pgbouncer import pgbouncer
from tests.support.running import value

EVENTS = 'SELECT id, "eventType", data, "timestamp" FROM "BusinessEvent" ORDER BY id'
COUNT = 'SELECT count(*), count(DISTINCT id) FROM "BusinessEvent"'
REQUEST = {"type": "api_request", "endpoint": "/v1/orgs?key=x", "method": "GET", "duration": 12.5, "status": 200}


async def until(page, wanted):
    """Waits until the page, asked for again and again, has what is wanted."""
    async with asyncio.timeout(20):
        while not wanted(await page()):
            await asyncio.sleep(0.02)


def waiting(page):
    return value(page, "chatterfy_ingest_spool_rows")


async def drained(it):
    await until(it.page, lambda page: waiting(page) == 0)


async def test_an_event_is_a_row_of_the_app_s_own_table(url, sql, tmp_path):
    async with keeping(url, tmp_path) as it:
        before = datetime.now(UTC).replace(tzinfo=None)
        answer = await it.post(signup("one"))
        made = await it.post(signup())
        page = await it.page()

    rows = await sql(EVENTS)
    assert (answer, made) == ((202, '{"accepted": 1}'), (202, '{"accepted": 1}'))
    assert rows[1][:3] == ("one", "user_signup", '{"userId":"u","source":"ads"}')
    assert re.fullmatch("[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}", str(rows[0][0]))
    assert abs((rows[1][3] - before).total_seconds()) < 5
    assert value(page, 'chatterfy_events_total{event="user_signup"}') == 2
    assert value(page, 'chatterfy_ingest_kept_rows_total{table="business_event",where="database"}') == 2
    assert value(page, 'chatterfy_ingest_keep_seconds_count{where="database"}') == 2


async def test_a_time_within_the_window_is_the_row_s_own(url, sql, tmp_path):
    async with keeping(url, tmp_path) as it:
        stamp = (int(it.clock.now()) + 30) * 1000 + 123
        event, line = ({**sent, "timestamp": stamp} for sent in (signup(), REQUEST))
        answers = [await it.post(event), await it.post(line, "/v1/metrics")]

    assert [status for status, _ in answers] == [202, 202]
    for table in ("BusinessEvent", "Metric"):
        ((moment,),) = await sql(f'SELECT "timestamp" FROM "{table}"')
        assert moment.replace(tzinfo=UTC).timestamp() * 1000 == pytest.approx(stamp, abs=0.5)


def test_what_is_acknowledged_by_the_disk_has_been_synced(tmp_path, monkeypatch):
    connection = sqlite3.connect(tmp_path / "spool.sqlite", isolation_level=None)
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: connection)
    spool = Spool(tmp_path / "spool.sqlite", 2**20)
    settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
    spool.close()

    assert settings == [2, "wal"]  # FULL: each commit is synced, in the write-ahead log too


async def test_the_request_log_is_stored_with_what_tells_its_rows_from_others(url, sql, tmp_path):
    async with keeping(url, tmp_path) as it:
        answer = await it.post([REQUEST] * 3, "/v1/metrics")

    assert answer == (202, '{"accepted": 3}')
    rows = await sql('SELECT type, endpoint, method, duration, status FROM "Metric"')
    assert rows == [("api_request", "/v1/orgs", "GET", 12.5, 200)] * 3


async def test_the_same_key_again_is_accepted_and_stored_and_counted_once(url, sql, tmp_path):
    async with keeping(url, tmp_path) as it:
        answers = [await it.post(signup(), idempotency_key="k") for _ in range(2)]
        answers += [await it.post([signup(), signup()], idempotency_key="k") for _ in range(2)]
        answers += [await it.post([signup("a"), signup("a"), signup("k")])]
        page = await it.page()

    assert [status for status, _ in answers] == [202] * 5
    assert [row[0] for row in await sql(EVENTS)] == ["a", "k", "k:0", "k:1"]
    assert value(page, 'chatterfy_events_total{event="user_signup"}') == 4


async def test_who_comes_within_a_moment_shares_a_transaction(url, sql, tmp_path):
    async with keeping(url, tmp_path) as it:
        await asyncio.gather(
            *(it.keeper.accept("business_event", [_row(str(number))], named=True) for number in range(50))
        )
        made = await sql('SELECT count(DISTINCT xmin::text) FROM "BusinessEvent"')

    assert made == [(1,)]


async def test_concurrent_requests_share_a_batch_and_each_hears_of_its_own_rows(url, sql, tmp_path):
    async with keeping(url, tmp_path) as it:
        first = await it.keeper.accept("business_event", [_row("known")], named=True)
        pairs = [[_row(f"{number}"), _row("known")] for number in range(50)]
        found = await asyncio.gather(*(it.keeper.accept("business_event", pair, named=True) for pair in pairs))
        nothing = await it.keeper.accept("business_event", [], named=True)
        await it.keeper.accept("business_event", [_row("last")], named=True)

    assert (first, nothing) == (None, None)
    assert found == [[True, False]] * 50
    assert await sql(COUNT) == [(52, 52)]


@pytest.mark.parametrize(("data", "stored"), [("{}", 4), ("\0", 0)])
async def test_who_goes_away_before_the_answer_is_served_all_the_same(url, sql, tmp_path, data, stored):
    async with keeping(url, tmp_path) as it:
        pairs = [[_row(str(number)), _row("same", data=data)] for number in range(3)]
        waiting = [asyncio.create_task(it.keeper.accept("business_event", pair, named=True)) for pair in pairs]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    assert await sql(COUNT) == [(stored, stored)]


def _row(key, **more):
    return {"id": key, "event_type": "user_signup", "data": "{}", "created_at": 1_800_000_000.0, **more}


@pytest.mark.parametrize("kind", ["json", "jsonb"])
@pytest.mark.parametrize("time", ["timestamptz", "timestamp(0)"])
async def test_columns_may_be_of_other_types(url, sql, tmp_path, kind, time):
    for statement in (
        "CREATE TYPE happening AS ENUM ('user_signup')",
        'ALTER TABLE "BusinessEvent" ALTER "eventType" TYPE happening USING "eventType"::happening',
        f'ALTER TABLE "BusinessEvent" ALTER data TYPE {kind} USING data::{kind}',
        f'ALTER TABLE "BusinessEvent" ALTER "timestamp" TYPE {time}',
        'ALTER TABLE "BusinessEvent" ALTER id TYPE uuid USING id::uuid',
        'ALTER TABLE "Metric" ALTER duration TYPE int, ALTER status TYPE text, ALTER method TYPE varchar(10)',
    ):
        await sql(statement)
    async with keeping(url, tmp_path) as it:
        own = await it.post([signup("018f0000-0000-7000-8000-000000000000"), signup("my key"), signup()])
        named = [await it.post(signup("my-key")) for _ in range(2)]
        requests = await it.post(REQUEST, "/v1/metrics")
        page = await it.page()

    assert own[0] == 400
    assert [status for status, _ in (*named, requests)] == [202] * 3
    assert await sql('SELECT "eventType"::text, data->>\'userId\' FROM "BusinessEvent"') == [("user_signup", "u")]
    assert await sql('SELECT duration, status, method FROM "Metric"') == [(12, "200", "GET")]
    ((age,),) = await sql('SELECT abs(extract(epoch FROM now() - "timestamp")) < 5 FROM "BusinessEvent"')
    assert age
    assert value(page, 'chatterfy_events_total{event="user_signup"}') == 1


async def test_what_the_database_refuses_is_refused_and_others_do_not_suffer(url, sql, tmp_path):
    await sql("ALTER TABLE \"BusinessEvent\" ADD CHECK (data NOT LIKE '%bad%')")
    async with keeping(url, tmp_path) as it:
        posts = [
            [signup(str(number)), signup(f"b{number}", "bad" if number % 5 == 0 else "good")] for number in range(20)
        ]
        answers = await asyncio.gather(*map(it.post, posts))
        page = await it.page()

    assert [status for status, _ in answers] == [400, 202, 202, 202, 202] * 4
    assert "the database does not take this: new row for relation" in answers[0][1]
    assert await sql(COUNT) == [(32, 32)]
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="events",reason="body"}') == 4
    assert waiting(page) == 0


@pytest.mark.parametrize(("said", "obeyed"), [("off", "on"), ("local", "local")])
async def test_who_turned_synchronous_commit_off_meant_the_app_s_own_rows(url, sql, tmp_path, said, obeyed):
    for statement in (
        "CREATE TABLE seen (setting text)",
        """CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END$$""",
        'CREATE TRIGGER look AFTER INSERT ON "BusinessEvent" EXECUTE FUNCTION look()',
        f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = {said}",
    ):
        await sql(statement)
    async with keeping(url, tmp_path) as it:
        await it.post(signup())

    assert await sql("SELECT setting FROM seen") == [(obeyed,)]


async def test_a_value_that_cannot_be_sent_at_all_is_refused(url, tmp_path):
    async with keeping(url, tmp_path) as it:
        with pytest.raises(Rejected) as rejected:
            await it.keeper.accept("business_event", [_row("1", data="\ud800")], named=True)

    assert rejected.value.status == 400


async def test_while_the_database_is_away_events_are_on_the_disk_and_then_in_it_in_order(postgres, url, sql, tmp_path):
    async with keeping(url, tmp_path) as it:
        await it.post(signup("before"))
        postgres.stop()
        with capture_logs() as logs:
            away = [await it.post(signups(range(number * 10, number * 10 + 10))) for number in range(5)]
            again = await it.post(signups([3, 50]))
        page = await it.page()
        postgres.start()
        await drained(it)
        later = await it.page()
        back = await it.post(signup("after"))

    assert [status for status, _ in (*away, again, back)] == [202] * 7
    assert waiting(page) == 51
    assert value(page, "chatterfy_ingest_spool_oldest_timestamp_seconds") > 1.7e9
    assert value(page, "chatterfy_ingest_spool_bytes") > 4096
    assert value(page, 'chatterfy_ingest_kept_rows_total{table="business_event",where="spool"}') == 51
    assert value(later, "chatterfy_ingest_spool_oldest_timestamp_seconds") is None
    assert value(page, 'chatterfy_events_total{event="user_signup"}') == 52
    assert [log["event"] for log in logs].count("ingest.spooling") == 1
    assert await sql(COUNT) == [(53, 53)]
    order = [row[0] for row in await sql('SELECT id FROM "BusinessEvent" ORDER BY ctid')]
    assert order == ["before", *map(str, range(51)), "after"]


async def test_what_waited_at_the_end_is_brought_at_the_next_start(postgres, url, sql, tmp_path):
    postgres.stop()
    async with keeping(url, tmp_path) as it:
        await it.post(signups(range(2500)[:1000]))
        await it.post(signups(range(1000, 1500)))
    postgres.start()
    async with keeping(url, tmp_path) as it:
        first = await it.page()
        await drained(it)

    assert waiting(first) in (0, 500, 1500)
    assert await sql(COUNT) == [(1500, 1500)]


async def test_what_is_left_on_the_disk_at_the_end_is_told(postgres, url, tmp_path):
    postgres.stop()
    with capture_logs() as logs:
        async with keeping(url, tmp_path) as it:
            await it.post(signups(range(3)))
    postgres.start()

    left = next(log for log in logs if log["event"] == "ingest.rows_left")
    assert (left["rows"], left["path"]) == (3, str(tmp_path / "spool.sqlite"))


async def test_a_database_that_hangs_holds_a_request_up_for_a_second(postgres, url, sql, tmp_path):
    async with keeping(url, tmp_path) as it:
        await it.post(signup("before"))
        postgres.freeze()
        begin = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*(it.post(signup(str(number))) for number in range(20)))
        took = asyncio.get_running_loop().time() - begin
        begin = asyncio.get_running_loop().time()
        next_answer = await it.post(signup("next"))
        next_took = asyncio.get_running_loop().time() - begin
        postgres.thaw()
        await drained(it)

    assert {status for status, _ in (*answers, next_answer)} == {202}
    assert took < 3
    assert next_took < 1
    assert await sql(COUNT) == [(22, 22)]


async def test_a_table_that_is_locked_or_missing_is_waited_for(url, sql, tmp_path):
    await sql('ALTER TABLE "BusinessEvent" RENAME TO gone')
    async with keeping(url, tmp_path) as it:
        with capture_logs() as logs:
            answer = await it.post(signup("one"))
        await sql('ALTER TABLE gone RENAME TO "BusinessEvent"')
        await drained(it)
        await sql('ALTER TABLE "BusinessEvent" ALTER data TYPE jsonb USING data::jsonb')
        changed = await it.post(signup("two"))
        await drained(it)

    assert (answer[0], changed[0]) == (202, 202)
    assert "does not exist" in next(log["detail"] for log in logs if log["event"] == "ingest.spooling")
    assert await sql(COUNT) == [(2, 2)]


async def test_a_row_that_is_refused_for_good_is_laid_aside_and_blocks_none(postgres, url, sql, tmp_path):
    await sql("ALTER TABLE \"BusinessEvent\" ADD CHECK (data NOT LIKE '%bad%')")
    postgres.stop()
    async with keeping(url, tmp_path) as it:
        for number in range(40):
            await it.post(signup(str(number), "bad" if number in (7, 8, 39) else "good"))
        with capture_logs() as logs:
            postgres.start()
            await drained(it)
        page = await it.page()

    assert await sql(COUNT) == [(37, 37)]
    assert value(page, "chatterfy_ingest_dead_rows") == 3
    refused = [log for log in logs if log["event"] == "ingest.row_refused"]
    assert [(log["table"], log["sqlstate"]) for log in refused] == [("business_event", "23514")] * 3
    assert "bad" not in str(logs)


async def test_the_disk_full_and_the_database_away_nothing_is_acknowledged(postgres, url, sql, tmp_path):
    postgres.stop()
    big = {**signup(), "data": {"userId": "u", "more": "x" * 7000}}
    async with keeping(url, tmp_path, limit="1MiB") as it:
        with capture_logs() as logs:
            answers = [await it.post([{**big, "id": f"{number}-{item}"} for item in range(10)]) for number in range(30)]
        page = await it.page()
        postgres.start()
        await drained(it)
        after = await it.post(signup("after"))

    taken = [status for status, _ in answers].count(202)
    assert 5 < taken < 20
    assert {status for status, _ in answers[taken:]} == {503}
    assert answers[-1][1] == "neither the database nor the disk takes this now: send it again later"
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="events",reason="storage"}') == 30 - taken
    assert [log["event"] for log in logs].count("ingest.spool_failed") == 1
    assert after[0] == 202
    assert await sql(COUNT) == [(taken * 10 + 1, taken * 10 + 1)]


async def test_a_refusal_says_when_to_try_again(postgres, url, tmp_path):
    postgres.stop()
    async with keeping(url, tmp_path, limit="1MiB") as it:
        rows = [_row(str(number), data="x" * 7000) for number in range(300)]
        with pytest.raises(Rejected) as rejected:
            await it.keeper.accept("business_event", rows, named=True)
    postgres.start()

    assert (rejected.value.status, rejected.value.reason, rejected.value.retry_after) == (503, "storage", 5)


async def test_a_spool_that_another_exporter_has_or_that_is_none_is_told_at_start(url, tmp_path):
    async with keeping(url, tmp_path):
        with pytest.raises(ExporterError, match=r"spool.path: .* cannot be used: database is locked"):
            async with keeping(url, tmp_path):
                pass
    (tmp_path / "other").mkdir()
    (tmp_path / "other/spool.sqlite").write_text("no database, but text that is longer than a header would be" * 10)
    with pytest.raises(ExporterError, match="file is not a database"):
        async with keeping(url, tmp_path / "other"):
            pass
    with pytest.raises(ExporterError, match="No such file or directory"):
        async with keeping(url, tmp_path / "nowhere"):
            pass


async def test_the_spool_is_for_its_owner_alone(url, tmp_path):
    async with keeping(url, tmp_path):
        mode = (tmp_path / "spool.sqlite").stat().st_mode

    assert mode & 0o777 == 0o600


async def test_it_works_through_pgbouncer(postgres_cluster, url, sql, tmp_path):
    async with pgbouncer(postgres_cluster, {"postgres": "super"}) as port:
        through = url.replace(f":{postgres_cluster.port}/", f":{port}/") + "?pgbouncer=true"
        async with keeping(through, tmp_path) as it:
            answers = await asyncio.gather(*(it.post(signups([number, "same"])) for number in range(100)))
            page = await it.page()

    assert {status for status, _ in answers} == {202}
    assert await sql(COUNT) == [(101, 101)]
    assert value(page, 'chatterfy_ingest_kept_rows_total{table="business_event",where="database"}') == 101


async def test_snake_case_tables_and_names_of_one_s_own_are_written(url, sql, tmp_path):
    await sql("CREATE TABLE happenings (key text PRIMARY KEY, what text, body jsonb, at timestamptz, tenant text)")
    options = {
        "preset": "snake_case",
        "business_event": {
            "table": "happenings",
            "only": {"tenant": "it's"},
            "columns": {"id": "key", "event_type": "what", "data": "body", "created_at": "at"},
        },
    }
    async with keeping(url, tmp_path, tables=TablesOptions.model_validate(options)) as it:
        answers = [await it.post(signup("one")) for _ in range(2)]

    assert answers == [(202, '{"accepted": 1}')] * 2
    assert await sql("SELECT key, what, body->>'source', tenant FROM happenings") == [
        ("one", "user_signup", "ads", "it's")
    ]


async def test_with_the_printed_grants_a_role_stores_and_reads_nothing(postgres_cluster, url, sql, tmp_path):
    role = await postgres_cluster.role("secret")
    granted = keeper(Tables.of(TablesOptions(), "public"), COLUMNS, role, url.rpartition("/")[2])
    for statement in granted.split(";"):
        await sql(statement)
    as_role = url.replace("postgres:super", f"{role}:secret")
    async with keeping(as_role, tmp_path) as it:
        answers = [await it.post(signup("one")), await it.post(signup()), await it.post(REQUEST, "/v1/metrics")]
        page = await it.page()
    connection = await asyncpg.connect(as_role)
    for forbidden in ('SELECT data FROM "BusinessEvent"', 'DELETE FROM "Metric"', 'SELECT email FROM "User"'):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(forbidden)
    await connection.close()
    await sql(f"DROP OWNED BY {role}")

    assert [status for status, _ in answers] == [202] * 3
    assert value(page, 'chatterfy_ingest_kept_rows_total{table="business_event",where="database"}') == 2
    assert value(page, 'chatterfy_ingest_kept_rows_total{table="api_request",where="database"}') == 1
