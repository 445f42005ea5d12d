"""Fixtures that every folder of tests shares."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import structlog
import trustme
from hypothesis import settings

from exporter.clock import Clock, SystemClock
from tests.support.clock import FakeClock
from tests.support.postgres import Postgres, debian_postgres
from tests.support.running import Once, Running, running
from tests.support.servers import closed_port

# How long an example takes is the machine's business: timings never stand in a test.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def unused_tcp_port() -> int:
    return closed_port()


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a configuration file and gives its path."""

    def write(text: str) -> Path:
        path = tmp_path / "config.yml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def make_probe(config: Callable[[str], Path]) -> Callable[..., Once]:
    """A probe named `it` with these options (YAML flow), and secrets by keyword."""

    def make(options: str, clock: Clock | None = None, **environ: str) -> Once:
        return Once(config(f"probes: {{it: {{{options}}}}}"), environ, clock or SystemClock())

    return make


@pytest.fixture
def run_probe(make_probe: Callable[..., Once]) -> Callable[..., Awaitable[str]]:
    """Runs a probe named `it` once; gives the page."""

    async def run(options: str, **environ: str) -> str:
        return await make_probe(options, **environ).run()

    return run


@pytest.fixture
def exporter(config: Callable[[str], Path]) -> Callable[..., AbstractAsyncContextManager[Running]]:
    """Starts an exporter on a free port: `async with exporter(configuration, SECRET="x") as it`."""

    def start(text: str, **environ: str) -> AbstractAsyncContextManager[Running]:
        return running(config(f"listen: 127.0.0.1:0\n{text}"), environ)

    return start


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """A test's log goes where that test looks for it."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """No test leaves a task running."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=1)
    assert not left, left


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of the tests' own."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a client must trust to accept the authority's certificates."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's side of TLS, with a good certificate for localhost and 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole session of one worker."""
    server = Postgres()
    server.start()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres(postgres_cluster: Postgres) -> Iterator[Postgres]:
    """The server, running when the test begins and running again when it ends."""
    yield postgres_cluster
    postgres_cluster.stop() if (postgres_cluster.data / "postmaster.pid").exists() else None
    postgres_cluster.start()


@pytest.fixture(scope="session", params=[18, 15])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A PostgreSQL server of each version."""
    if request.param == 18:
        yield request.getfixturevalue("postgres_cluster")
        return
    postgres = Postgres(debian_postgres(request.param))
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.remove()
