"""The command `traffic`, beside a PostgreSQL that is there: what it makes, what it refuses, how it waits and ends."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from exporter.clock import SystemClock
from exporter.demo.connections import connections
from exporter.demo.furnish import furnish
from exporter.demo.s3 import build_s3
from exporter.demo.site import Place, Site
from exporter.demo.traffic_command import access, run
from exporter.demo.upstreams import build_web
from exporter.errors import ConfigError, ExporterError
from exporter.tools.database_url import parse_database_url
from tests.support.cli import environment
from tests.support.cli import run as command
from tests.support.clock import QuickClock
from tests.support.postgres import Postgres
from tests.support.running import total, value
from tests.support.servers import closed_port

CONFIGURATION = """
probes:
  web: {{kind: http, url: '{web}/'}}
  web_health: {{kind: http, url: '{web}/api/health'}}
  api: {{kind: http, url: '{api}/health'}}
  api_db: {{kind: http, url: '{api}/admin/health/db'}}
  chat: {{kind: http, url: '{api}/v1/chat/completions', method: POST, status: 401}}
  db: {{kind: postgres, url: {{env: READER}}}}
  stripe: {{kind: stripe, key: {{env: KEY}}, api: '{stripe}'}}
  s3:
    {{kind: s3, bucket: demo, endpoint: '{s3}', region: us-east-1, access_key: {{env: KEY}}, secret_key: {{env: KEY}},
      canary: true}}
database: {{url: {{env: READER}}}}
queries: {{every: {{http_requests: 2s, users: 2s}}}}
daily: {{enabled: true, url: {{env: WRITER}}}}
"""

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
USERS = 'SELECT count(*) FROM "User"'
REQUESTS = 'SELECT count(*) FROM "Metric"'

_numbers = count(1)


@pytest.fixture
async def empty(postgres_cluster: Postgres) -> str:
    """The URL of a new database with nothing in it, as its owner."""
    name = f"traffic{next(_numbers)}"
    await postgres_cluster.execute(f"CREATE DATABASE {name}")
    return postgres_cluster.url(database=name)


async def ask(url: str, sql: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(sql))
    finally:
        await connection.close()


async def tell(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def traffic(url: str, *, password: Path | None = None, token: Path | None = None, ports=(0, 0, 0, 0), **options):
    given = access({"DATABASE_URL": url}, None, password=password, token=token)
    defaults: dict[str, Any] = {"deadline": 60.0, "as_json": True, "clock": SystemClock()}
    return run(given, Place(ports=ports), **(defaults | options))


async def stops(running: "asyncio.Task[int]") -> float:
    """How many seconds it takes to end after SIGTERM, well."""
    begin = time.monotonic()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
    return time.monotonic() - begin


@asynccontextmanager
async def process(*options: str, **environ: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    """The command as a process of its own, up; gives it and the URLs."""
    it = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exporter", "traffic", "--json", "--ports", "0,0,0,0", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**environ),
    )
    try:
        assert it.stdout
        yield it, json.loads(await it.stdout.readline())
    finally:
        if it.returncode is None:
            it.kill()
            await it.communicate()


async def test_the_exporter_watches_what_it_makes_and_counts_its_rows(empty, tmp_path, exporter):
    url, password = tmp_path / "url", tmp_path / "password"
    url.write_text(f"{empty}\n")
    password.write_text("it's a \\ secret\n")
    reader, writer = (
        empty.replace("postgres:super", f"{role}:it's%20a%20%5C%20secret") for role in ("exporter", "daily")
    )
    secrets = {"READER": reader, "WRITER": writer, "KEY": "sk_test_any"}

    async with process("--database-url-file", str(url), "--exporter-password-file", str(password)) as (it, urls):
        before = await ask(empty, REQUESTS)
        async with exporter(CONFIGURATION.format(**urls), **secrets) as watching:
            well = await watching.until(lambda page: total(page, "chatterfy_probe_success") == 8, within=30)
            counted = await watching.until(
                lambda page: total(page, "chatterfy_http_requests_total") > before, within=30
            )
            page = await watching.until(
                lambda page: all(f"\n{name} " in page for name in ("chatterfy_users", "chatterfy_daily_messages"))
            )
        after = await ask(empty, REQUESTS)
        begin = time.monotonic()
        it.terminate()
        _, told = await it.communicate()

    assert list(urls) == ["web", "api", "stripe", "s3"]
    assert well
    assert 100_000 < before < total(counted, "chatterfy_http_requests_total") <= after
    assert 1000 < value(page, "chatterfy_users") <= await ask(empty, USERS)
    assert time.monotonic() - begin < 5
    assert it.returncode == 0
    assert "\ntraffic:  33% writing history: messages\n" in told.decode()


POSTED_TO = """
database: {{url: {{env: READER}}}}
queries: {{every: {{http_requests: 2s}}}}
ingest:
  listen: 127.0.0.1:{port}
  url: {{env: KEEPER}}
  events: {{token: {{env: TOKEN}}}}
  requests: {{token: {{env: TOKEN}}}}
  deploys: {{token: {{env: TOKEN}}}}
"""


async def test_what_is_noted_before_the_exporter_is_up_is_posted_once_it_is(
    empty, tmp_path, exporter, until_printed, unused_tcp_port
):
    for name in ("password", "token"):
        (tmp_path / name).write_text(name)
    reader, keeper = (empty.replace("postgres:super", f"{role}:password") for role in ("exporter", "keeper"))
    ingest = f"http://127.0.0.1:{unused_tcp_port}"
    running = asyncio.create_task(
        traffic(empty, password=tmp_path / "password", token=tmp_path / "token", ingest=ingest)
    )
    await until_printed(r"traffic: the exporter does not take what is posted: http://127.0.0.1:\d+/v1/\w+: .*refused")
    by_itself = await ask(empty, REQUESTS)

    async with exporter(POSTED_TO.format(port=unused_tcp_port), READER=reader, KEEPER=keeper, TOKEN="token") as it:
        await until_printed("traffic: the exporter takes what is posted")
        page = await it.until(lambda page: total(page, "chatterfy_http_requests_total") > by_itself)
        await stops(running)
        rows = await ask(empty, REQUESTS)
        page = await it.until(lambda page: total(page, "chatterfy_http_requests_total") == rows)

    kept = 'chatterfy_ingest_kept_rows_total{table="api_request",where="database"}'
    assert value(page, kept) == rows - by_itself
    assert value(page, 'chatterfy_deploys_total{environment="production",status="succeeded"}') == 1


async def test_an_exporter_that_refuses_is_told_of_with_its_own_words(empty, exporter, until_printed, unused_tcp_port):
    async with exporter(POSTED_TO.format(port=unused_tcp_port), READER=empty, KEEPER=empty, TOKEN="token"):
        running = asyncio.create_task(traffic(empty, ingest=f"http://127.0.0.1:{unused_tcp_port}"))

        await until_printed(r"traffic: the exporter does not take what is posted: \S+: status 401: expected the header")
        await stops(running)


async def test_the_keepers_role_adds_rows_and_reads_none(empty, tmp_path, until_printed):
    password = tmp_path / "password"
    password.write_text("first")
    running = asyncio.create_task(traffic(empty, password=password))
    await until_printed(r"\{.*\}")
    await stops(running)
    keeper = empty.replace("postgres:super", "keeper:first")

    for forbidden in ('SELECT data FROM "BusinessEvent"', 'DELETE FROM "Metric"', USERS):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tell(keeper, forbidden)


async def test_the_exporters_role_can_only_read(empty, tmp_path, until_printed):
    password = tmp_path / "password"
    password.write_text("first")
    running = asyncio.create_task(traffic(empty, password=password))
    await until_printed(r"\{.*\}")
    await stops(running)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tell(empty.replace("postgres:super", "exporter:first"), 'DELETE FROM "User"')
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tell(empty.replace("postgres:super", "daily:first"), 'DELETE FROM "DailyMetrics"')


async def test_a_restart_fills_nothing_twice_and_changes_the_password(empty, tmp_path, until_printed):
    password = tmp_path / "password"
    password.write_text("first")
    running = asyncio.create_task(traffic(empty, password=password))
    await until_printed(r"\{.*\}")
    await stops(running)
    before = await ask(empty, REQUESTS)
    password.write_text("second")
    running = asyncio.create_task(traffic(empty, password=password, as_json=False))

    printed = (await until_printed(r"(?s).*S3 +http://127\.0\.0\.1:\d+\n")).string
    await stops(running)

    assert printed.count("writing history: messages") == 1
    assert before <= await ask(empty, REQUESTS) < before + 1000
    assert await ask(empty.replace("postgres:super", "exporter:second"), USERS) > 1000


async def test_two_that_start_at_once_fill_it_once(empty):
    url, told = parse_database_url(empty), []
    pools = [await connections(empty) for _ in range(2)]

    await asyncio.gather(
        *(
            furnish(pool, url, SystemClock(), password=None, progress=lambda text, _: told.append(text))
            for pool in pools
        )
    )

    for pool in pools:
        pool.terminate()
    assert told.count("writing history: messages") == 1


async def test_a_fill_that_is_interrupted_leaves_an_empty_database(empty, until_printed, eventually):
    running = asyncio.create_task(traffic(empty))
    await until_printed("writing history: messages")

    assert await stops(running) < 5
    await eventually(lambda: ask(empty, SESSIONS), lambda others: others == 0)

    assert await ask(empty, TABLES) == 0


@pytest.mark.parametrize(
    ("more", "named"), [("", r"public\.orders"), ("CREATE SCHEMA app; CREATE TABLE app.t ()", r"app\.t and 1 more")]
)
async def test_a_database_with_other_tables_is_refused(empty, more, named):
    await tell(empty, f"CREATE TABLE orders (); {more}")

    with pytest.raises(
        ExporterError, match=rf"^the database traffic\d+ has tables that are not the demo's \({named}\): name an empty"
    ):
        await traffic(empty)

    assert await ask(empty, TABLES) == 1


async def test_a_real_chatterfy_is_refused_though_its_tables_have_the_same_names(empty):
    await tell(empty, files("exporter.demo").joinpath("sql/prisma.sql").read_text())

    with pytest.raises(ExporterError, match="has tables that are not the demo's"):
        await traffic(empty)

    assert await ask(empty, USERS) == 0


async def test_a_wrong_password_is_an_error_at_once(empty):
    with pytest.raises(ExporterError, match=r"^the database refuses: auth: password authentication failed"):
        await traffic(empty.replace("super", "wrong"))


async def test_a_role_that_may_not_make_roles_is_an_error(postgres_cluster, empty, tmp_path):
    (tmp_path / "password").write_text("any")
    role = await postgres_cluster.role("own")
    await postgres_cluster.execute(f"ALTER DATABASE {empty.rpartition('/')[2]} OWNER TO {role}")

    with pytest.raises(
        ExporterError, match=r"^the database cannot be furnished: auth: permission denied to (create|alter) role"
    ):
        await traffic(empty.replace("postgres:super", f"{role}:own"), password=tmp_path / "password")

    assert await ask(empty, TABLES) == 0


async def test_a_database_that_does_not_come_is_an_error(capsys):
    port = closed_port()

    with pytest.raises(
        ExporterError, match=rf"^the database takes no connections after 2\.5 s: connect: 127\.0\.0\.1:{port}: "
    ):
        await traffic(f"postgresql://postgres:super@127.0.0.1:{port}/postgres", deadline=2.5)

    assert (
        capsys.readouterr().err == f"traffic: waiting for the database: connect: 127.0.0.1:{port}: Connection refused\n"
    )


async def test_it_waits_for_a_database_that_comes_late(postgres, empty, until_printed):
    postgres.stop()
    running = asyncio.create_task(traffic(empty))
    await until_printed("traffic: waiting for the database: connect")

    await asyncio.to_thread(postgres.start)

    await until_printed(r"\{.*\}")
    assert await stops(running) < 5


async def test_an_outage_is_one_line_and_traffic_goes_on_after_it(postgres, empty, until_printed, eventually):
    running = asyncio.create_task(traffic(empty))
    urls = json.loads((await until_printed(r"\{.*\}"))[0])

    async def status() -> int:
        async with aiohttp.ClientSession() as http, http.get(f"{urls['api']}/admin/health/db") as response:
            return int(response.status)

    assert await status() == 200

    postgres.stop()
    await until_printed("traffic: the database is away: ")
    assert await status() == 503
    await asyncio.to_thread(postgres.start)
    printed = (await until_printed(r"(?s).*traffic: the database is back\n"))[0]
    before = await ask(empty, REQUESTS)
    await eventually(lambda: ask(empty, REQUESTS), lambda now: now > before)

    assert await status() == 200
    assert printed.count("the database is away") == 1
    await stops(running)


async def test_a_database_that_hangs_is_an_outage_and_keeps_nobody_from_stopping(postgres, empty, until_printed):
    running = asyncio.create_task(traffic(empty, clock=QuickClock()))
    await until_printed(r"\{.*\}")

    postgres.freeze()
    await until_printed("traffic: the database is away: ")

    assert await stops(running) < 5


async def test_it_stops_at_once_where_the_database_has_just_begun_to_hang(postgres, empty, until_printed):
    running = asyncio.create_task(traffic(empty))
    await until_printed(r"\{.*\}")

    postgres.freeze()

    assert await stops(running) < 5


async def test_a_taken_port_is_an_error(empty, unused_tcp_port):
    taken = await asyncio.start_server(lambda _, __: None, "127.0.0.1", unused_tcp_port)

    async with taken:
        with pytest.raises(ExporterError, match=f"^127.0.0.1:{unused_tcp_port} cannot be had: "):
            await traffic(empty, ports=(0, 0, unused_tcp_port, 0))


@pytest.mark.fast
async def test_tables_stand_in_the_schema_public_alone():
    with pytest.raises(
        ConfigError, match=r"^traffic: database: the demo's tables stand in the schema public: leave out "
    ):
        await traffic("postgresql://a:b@127.0.0.1/c?schema=app")


@pytest.mark.fast
async def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "exporter.demo.standins", None)  # What Python sees where a package is missing.

    assert await traffic("postgresql://a:b@127.0.0.1/c") == 2
    assert capsys.readouterr().err == "traffic needs: pip install 'chatterfy-exporter[demo]'\n"


@pytest.mark.fast
def test_what_is_missing_is_told_at_once(tmp_path):
    result = command("traffic", "--exporter-password-file", str(tmp_path / "none"), environ={"DATABASE_URL": None})

    assert result.exit_code == 2
    assert result.stderr == (
        "traffic: database: the environment variable DATABASE_URL is not set or empty\n"
        f"traffic: password: the file {tmp_path}/none cannot be read: No such file or directory\n"
    )


@pytest.mark.fast
@pytest.mark.parametrize("text", ["3000", "1,2,3,x", "1,2,3,65536", "1,2,3,4,5"])
def test_ports_are_four(text):
    result = command("traffic", "--ports", text)

    assert result.exit_code == 2
    assert f"expected four ports such as 3000,4000,4242,9000, got '{text}'" in result.stderr


@pytest.mark.fast
async def test_s3_is_found_by_the_name_that_a_container_has():
    site = Site(build_s3)
    await site.start()
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/s3/aws4_request",
        "Host": "traffic:9000",
    }

    async with aiohttp.ClientSession() as session, session.get(f"{site.url}/demo", headers=signed) as response:
        text = await response.text()

    await site.stop()
    assert "<Name>demo</Name>" in text


@pytest.mark.fast
def test_an_address_of_ipv6_stands_in_brackets():
    assert Site(build_web, host="::1", port=3000).url == "http://[::1]:3000"
