"""Kind postgres, against a real server that is well, locked, frozen, full or gone."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

import asyncpg
import pytest
from structlog.testing import capture_logs

from exporter.errors import ConfigError
from exporter.settings import load
from tests.support.postgres import Connection, Postgres
from tests.support.running import Once, value
from tests.support.servers import Talk, closed_port, hang, raw_server

PASSWORD = "planted-pass+word"
OPTIONS = "kind: postgres, url: {env: DATABASE_URL}, timeout: 5s, interval: 6s"
IMPATIENT = OPTIONS.replace("timeout: 5s", "timeout: 1s")
LABELS = '{kind="postgres",probe="it"}'
UP = f"chatterfy_probe_success{LABELS} 1.0"
DOWN = f"chatterfy_probe_success{LABELS} 0.0"


def failed(reason: str) -> str:
    """The line that a page has after one failure for this reason."""
    return f'chatterfy_probe_failures_total{{kind="postgres",probe="it",reason="{reason}"}} 1.0'


def phases(page: str) -> set[str]:
    """The phases that the page shows."""
    names = ("dns", "connect", "query", "read")
    return {name for name in names if f'chatterfy_probe_phase_seconds{{kind="postgres",phase="{name}"' in page}


@pytest.fixture
async def role(postgres: Postgres) -> str:
    return await postgres.role(PASSWORD, "LOGIN IN ROLE pg_monitor")


@pytest.fixture
def url(postgres: Postgres, role: str) -> str:
    return postgres.url(role, quote(PASSWORD))


@pytest.fixture
def probe(make_probe: Callable[..., Once], url: str) -> Once:
    """A probe of the server, with a role of its own."""
    return make_probe(OPTIONS, DATABASE_URL=url)


@pytest.fixture
def impatient(make_probe: Callable[..., Once], url: str) -> Once:
    """The same, for a server that does not answer in time."""
    return make_probe(IMPATIENT, DATABASE_URL=url)


@pytest.fixture
async def blocker(postgres, role) -> AsyncIterator[Connection]:
    """Holds the probe's query up for as long as this connection is in its transaction."""
    await postgres.execute(
        f"""
        DROP SCHEMA IF EXISTS slow CASCADE;
        CREATE SCHEMA slow;
        CREATE TABLE slow.pg_stat_activity AS SELECT * FROM pg_catalog.pg_stat_activity;
        GRANT USAGE ON SCHEMA slow TO PUBLIC;
        GRANT SELECT ON slow.pg_stat_activity TO PUBLIC;
        ALTER ROLE {role} SET search_path = slow, pg_catalog;
        """
    )
    connection = await postgres.connect()
    await connection.execute("BEGIN; LOCK TABLE slow.pg_stat_activity")
    yield connection
    connection.terminate()


@asynccontextmanager
async def tls_in_front(port: int, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """A proxy that speaks TLS for a server without, as poolers do; gives its port."""

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        await writer.start_tls(tls)
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.TaskGroup() as group:
            group.create_task(pass_on(reader, behind_writer))
            group.create_task(pass_on(behind_reader, writer))

    async with raw_server(talk) as front:
        yield front


async def test_a_server_that_is_well_is_up_and_shows_its_state(probe):
    page = await probe.run()

    assert UP in page
    assert value(page, f"chatterfy_postgres_connections{LABELS}") == 1
    assert value(page, f"chatterfy_postgres_connections_max{LABELS}") == 8
    assert value(page, f"chatterfy_postgres_oldest_transaction_age_seconds{LABELS}") == 0
    assert value(page, f"chatterfy_postgres_in_recovery{LABELS}") == 0
    assert phases(page) == {"connect", "query", "read"}


async def test_connections_of_others_are_counted_without_pg_monitor(make_probe, postgres):
    plain = await postgres.role(PASSWORD)
    other = await postgres.connect()
    page = await make_probe(OPTIONS, DATABASE_URL=postgres.url(plain, PASSWORD)).run()
    other.terminate()

    assert value(page, f"chatterfy_postgres_connections{LABELS}") == 2


async def test_a_transaction_that_stays_open_shows_its_age(probe, postgres):
    other = await postgres.connect()
    await other.execute("BEGIN; SELECT 1")
    page = await probe.run()
    age = await other.fetchval("SELECT extract(epoch FROM clock_timestamp() - now())::float8")
    other.terminate()

    shown = value(page, f"chatterfy_postgres_oldest_transaction_age_seconds{LABELS}")
    assert shown is not None
    assert 0 < shown < age


async def test_a_standby_is_up_and_says_so(probe, postgres):
    with postgres.standby():
        page = await probe.run()

    assert UP in page
    assert value(page, f"chatterfy_postgres_in_recovery{LABELS}") == 1


async def test_the_session_is_read_only_in_utc_limited_in_time_and_named(probe, postgres, role):
    await postgres.execute(
        f"""
        DROP SCHEMA IF EXISTS spy CASCADE;
        CREATE SCHEMA spy;
        CREATE FUNCTION spy.settings() RETURNS SETOF pg_catalog.pg_stat_activity LANGUAGE plpgsql AS $$
        BEGIN
            RAISE '%', array(SELECT current_setting(unnest(ARRAY[
                'transaction_read_only', 'timezone', 'application_name', 'statement_timeout'])));
        END $$;
        CREATE VIEW spy.pg_stat_activity AS SELECT * FROM spy.settings();
        GRANT USAGE ON SCHEMA spy TO PUBLIC;
        GRANT SELECT ON spy.pg_stat_activity TO PUBLIC;
        ALTER ROLE {role} SET search_path = spy, pg_catalog;
        ALTER ROLE {role} SET timezone = 'America/Sao_Paulo';
        """
    )

    page = await probe.run()

    assert failed("query") in page
    assert probe.detail.startswith("{on,UTC,chatterfy-exporter,")
    assert probe.detail.endswith("ms} (SQLSTATE P0001)")


async def test_a_run_leaves_no_session_and_no_line_in_the_server_s_log(probe, postgres):
    before = postgres.log
    await probe.run()
    await postgres.backends(0)

    assert postgres.log == before


async def test_a_server_that_stops_is_down_until_it_is_back(probe, postgres):
    postgres.stop()
    down = await probe.run()
    postgres.start()
    up = await probe.run()

    assert failed("connect") in down
    assert probe.job.state.results[0].detail == f"127.0.0.1:{postgres.port}: Connection refused"
    assert phases(down) == {"connect"}
    assert UP in up


async def test_values_outlive_a_failure_until_they_are_stale(make_probe, url, postgres, clock):
    probe = make_probe(f"{OPTIONS}, stale_after: 1m", clock, DATABASE_URL=url)
    await probe.run()
    postgres.stop()
    await clock.advance(59)
    fresh = await probe.run()
    await clock.advance(2)
    stale = await probe.run()

    assert DOWN in fresh
    assert value(fresh, f"chatterfy_postgres_connections_max{LABELS}") == 8
    assert DOWN in stale
    assert "chatterfy_postgres_" not in stale
    assert f"chatterfy_probe_last_success_timestamp_seconds{LABELS}" in stale


async def test_a_server_that_hangs_before_the_login_times_out(impatient, postgres):
    postgres.freeze()
    down = await impatient.run()
    postgres.thaw()
    await postgres.backends(0)
    up = await impatient.run()

    assert failed("timeout") in down
    assert impatient.job.state.results[0].detail == "no answer within 1 s (in phase connect)"
    assert 1 <= impatient.job.state.results[0].duration < 2
    assert UP in up


async def test_a_server_that_hangs_in_a_query_times_out(impatient, postgres, blocker):
    run = asyncio.create_task(impatient.run())
    await postgres.backends(1, blocked=True)
    postgres.freeze()
    down = await run
    blocker.terminate()
    postgres.thaw()
    await postgres.backends(0)
    up = await impatient.run()

    assert failed("timeout") in down
    assert impatient.job.state.results[0].detail == "no answer within 1 s (in phase read)"
    assert 1 <= impatient.job.state.results[0].duration < 2
    assert phases(down) == {"connect", "query", "read"}
    assert UP in up


async def test_a_query_that_is_held_up_is_ended_by_the_server_in_time(impatient, postgres, blocker):
    down = await impatient.run()
    await postgres.backends(0)
    blocker.terminate()
    up = await impatient.run()

    assert failed("timeout") in down
    assert impatient.job.state.results[0].detail == (
        "canceling statement due to statement timeout (SQLSTATE 57014) (in phase read)"
    )
    assert UP in up


async def test_a_run_that_is_cancelled_leaves_nothing_on_the_server(impatient, postgres, blocker):
    run = asyncio.create_task(impatient.job.run())
    await postgres.backends(1, blocked=True)
    run.cancel()
    await asyncio.wait([run], timeout=0.5)

    assert run.cancelled()
    assert await postgres.backends(0) == []


async def test_a_connection_that_is_killed_in_a_run_is_a_broken_connection(probe, postgres, blocker):
    run = asyncio.create_task(probe.run())
    (backend,) = await postgres.backends(1, blocked=True)
    await postgres.execute(f"SELECT pg_terminate_backend({backend})")
    down = await run
    blocker.terminate()
    up = await probe.run()

    assert failed("connect") in down
    assert "terminating connection due to administrator command" in probe.job.state.results[0].detail
    assert UP in up


async def test_a_server_that_crashes_in_a_run_is_a_broken_connection(probe, postgres, blocker):
    run = asyncio.create_task(probe.run())
    await postgres.backends(1, blocked=True)
    postgres.stop()
    down = await run
    postgres.start()
    up = await probe.run()

    assert failed("connect") in down
    assert UP in up


async def test_a_wrong_password_is_refused_and_shown_nowhere(make_probe, postgres, role):
    probe = make_probe(OPTIONS, DATABASE_URL=postgres.url(role, "not-the-password"))

    with capture_logs() as logs:
        page = await probe.run()

    assert failed("auth") in page
    assert probe.detail == f'password authentication failed for user "{role}" (SQLSTATE 28P01)'
    assert "not-the-password" not in f"{page} {logs}"


@pytest.mark.parametrize(
    "refusal",
    [
        ("ALTER ROLE {} NOLOGIN", "ALTER ROLE {} LOGIN", "auth", "is not permitted to log in (SQLSTATE 28000)"),
        ("ALTER ROLE {} PASSWORD 'new'", f"ALTER ROLE {{}} PASSWORD '{PASSWORD}'", "auth", "(SQLSTATE 28P01)"),
        (
            "ALTER DATABASE app ALLOW_CONNECTIONS false",
            "ALTER DATABASE app ALLOW_CONNECTIONS true",
            "connect",
            'database "app" is not currently accepting connections (SQLSTATE 55000)',
        ),
        (
            "ALTER DATABASE app RENAME TO other",
            "ALTER DATABASE other RENAME TO app",
            "connect",
            'database "app" does not exist (SQLSTATE 3D000)',
        ),
        (
            "REVOKE CONNECT ON DATABASE app FROM PUBLIC",
            "GRANT CONNECT ON DATABASE app TO PUBLIC",
            "auth",
            'permission denied for database "app" (SQLSTATE 42501)',
        ),
        (
            "ALTER ROLE {} CONNECTION LIMIT 0",
            "ALTER ROLE {} CONNECTION LIMIT -1",
            "quota",
            "too many connections for role {} (SQLSTATE 53300)",
        ),
    ],
    ids=["nologin", "password", "closed database", "unknown database", "no right to connect", "role's limit"],
)
async def test_what_the_server_refuses_is_down_with_its_reason_until_it_is_allowed(make_probe, postgres, role, refusal):
    change, back, reason, detail = refusal
    await postgres.execute("DROP DATABASE IF EXISTS app WITH (FORCE)")
    await postgres.execute("CREATE DATABASE app")
    probe = make_probe(OPTIONS, DATABASE_URL=postgres.url(role, quote(PASSWORD), database="app"))
    await postgres.execute(change.format(role))
    down = await probe.run()
    await postgres.execute(back.format(role))
    up = await probe.run()

    assert failed(reason) in down
    assert probe.job.state.results[0].detail.endswith(detail.format(f'"{role}"'))
    assert UP in up


async def test_a_server_without_free_connections_is_a_matter_of_quota(probe, postgres, url):
    async with AsyncExitStack() as stack:
        for _ in range(8):
            taken = await asyncpg.connect(url)
            stack.callback(taken.terminate)
        down = await probe.run()
    await postgres.backends(0)
    up = await probe.run()

    assert failed("quota") in down
    assert "53300" in probe.job.state.results[0].detail
    assert UP in up


async def test_a_host_name_that_does_not_exist_is_a_matter_of_dns(make_probe):
    probe = make_probe(OPTIONS, DATABASE_URL="postgresql://u:p@nowhere.invalid/app")

    page = await probe.run()

    assert failed("dns") in page
    assert probe.detail.startswith("nowhere.invalid: ")
    assert phases(page) == {"dns"}


async def test_a_host_name_is_looked_up_as_a_phase_of_its_own(make_probe, url):
    page = await make_probe(OPTIONS, DATABASE_URL=url.replace("127.0.0.1", "localhost")).run()

    assert UP in page
    assert phases(page) == {"dns", "connect", "query", "read"}


async def test_a_closed_port_on_every_address_of_a_host_is_told_in_full(make_probe):
    probe = make_probe(OPTIONS, DATABASE_URL=f"postgresql://u:p@localhost:{closed_port()}/app")

    page = await probe.run()

    assert failed("connect") in page
    assert "Connect" in probe.detail


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hangs up."""


async def accept_tls_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(8)
    writer.write(b"S")
    await reader.readexactly(1)


async def garbage_after_the_greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(8)
    writer.write(b"N")
    await reader.readexactly(8)
    writer.write(b"R\x00\x00\x00\x08\x00\x00\x00\xff")
    await reader.read()


async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


@pytest.mark.parametrize(
    ("talk", "query", "reason"),
    [
        (close_at_once, "", "connect"),
        (accept_tls_and_hang_up, "?sslmode=require", "connect"),
        (speak_http, "", "connect"),
        (garbage_after_the_greeting, "", "connect"),
        (hang, "", "timeout"),
    ],
    ids=["hangs up", "hangs up in the handshake", "http", "garbage", "silence"],
)
async def test_what_is_not_postgresql_is_down(make_probe, talk: Talk, query, reason):
    async with raw_server(talk) as port:
        probe = make_probe(IMPATIENT, DATABASE_URL=f"postgresql://u:planted@127.0.0.1:{port}/app{query}")
        page = await probe.run()

    assert failed(reason) in page
    assert "planted" not in probe.detail


async def test_a_server_without_the_tls_that_the_url_wants_fails_with_tls(make_probe, url, postgres):
    probe = make_probe(OPTIONS, DATABASE_URL=f"{url}?sslmode=require")

    page = await probe.run()

    assert failed("tls") in page
    assert probe.detail.endswith("rejected SSL upgrade")


async def test_tls_is_verified_against_the_url_s_own_certificates(make_probe, url, postgres, server_tls, ca_file):
    async with tls_in_front(postgres.port, server_tls) as port:
        secured = url.replace(str(postgres.port), str(port))
        trusted = make_probe(OPTIONS, DATABASE_URL=f"{secured}?sslmode=verify-full&sslrootcert={ca_file}")
        good = await trusted.run()
        distrusted = make_probe(OPTIONS, DATABASE_URL=f"{secured}?sslmode=verify-full")
        bad = await distrusted.run()

    assert UP in good
    assert failed("tls") in bad
    assert distrusted.detail == f"127.0.0.1:{port}: unable to get local issuer certificate"


async def test_tls_without_verification_is_fine_where_the_url_says_so(make_probe, url, postgres, server_tls):
    async with tls_in_front(postgres.port, server_tls) as port:
        secured = url.replace(str(postgres.port), str(port))
        page = await make_probe(OPTIONS, DATABASE_URL=f"{secured}?sslmode=no-verify").run()

    assert UP in page


async def test_a_prisma_url_is_taken_as_it_is(make_probe, url):
    prisma = f"{url}?schema=public&connection_limit=5&pool_timeout=10&pgbouncer=true&sslaccept=strict"
    page = await make_probe(OPTIONS, DATABASE_URL=prisma).run()

    assert UP in page


async def test_a_unix_socket_is_as_good_as_a_port(make_probe, postgres, role):
    socket = f"postgresql://{role}:{quote(PASSWORD)}@localhost:{postgres.port}/postgres?host={postgres.folder}"
    page = await make_probe(OPTIONS, DATABASE_URL=socket).run()

    assert UP in page
    assert phases(page) == {"connect", "query", "read"}


async def test_a_socket_s_folder_that_is_missing_is_a_failed_connection(make_probe, tmp_path):
    probe = make_probe(OPTIONS, DATABASE_URL=f"postgresql://u:p@localhost/app?host={tmp_path}")

    page = await probe.run()

    assert failed("connect") in page
    assert probe.detail == f"{tmp_path}:5432: No such file or directory"


def test_a_url_that_is_malformed_is_a_configuration_error_that_shows_nothing_of_it(config):
    path = config("probes: {it: {kind: postgres, url: {env: DATABASE_URL}}}")

    with pytest.raises(ConfigError) as error:
        load(path, {"DATABASE_URL": "postgresql://user:plan#ted@host/app"})

    assert "probes.it.url: expected a URL such as postgresql://user:password@host:5432/database" in str(error.value)
    assert "plan" not in str(error.value)


def test_the_environment_s_database_url_makes_a_critical_probe():
    probe = load(None, {"DATABASE_URL": "postgresql://u:p@host/app"}).probes["db"]

    assert (probe.kind, probe.critical) == ("postgres", True)


def test_without_a_database_url_there_is_no_probe():
    assert "db" not in load(None, {}).probes
