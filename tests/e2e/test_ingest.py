"""The whole exporter under load, whatever befalls it: what was acknowledged is stored, once, and counted, once."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from tests.support.cli import environment, run
from tests.support.keeping import QUERY, app_database, signup
from tests.support.postgres import Postgres
from tests.support.running import total, value
from tests.support.sending import SOON, Senders, sending
from tests.support.servers import closed_port

CONFIG = """
listen: 127.0.0.1:{port}
log: {{level: error}}
database: {{url: {{env: READER}}, skew: 100ms, pool: 2}}
queries: {{folders: [queries], every: {{events: 300ms, requests: 300ms, signups: 1s, http_requests: 1s}}}}
ingest:
  listen: 127.0.0.1:{ingest}
  url: {{env: KEEPER}}
  late: {late}
  limits: {{rate: 100000, burst: 100000, total_rate: 100000}}
  events: {{token: {{env: TOKEN}}}}
  requests: {{token: {{env: TOKEN}}}}
"""
LATE = "chatterfy_query_late_rows"
HORIZON = 'chatterfy_query_horizon_timestamp_seconds{query="events"}'


def request(key: str) -> dict[str, Any]:
    line = {"type": "api_request", "endpoint": "/v1/me", "method": "GET", "duration": 12.5, "status": 200}
    return {**line, "id": key}


class Exporter:
    """The exporter as a process of its own, with roles of its own; the queries close rows as soon as they may."""

    def __init__(self, folder: Path, url: str, **roles: str) -> None:
        self._port, self._ingest = closed_port(), closed_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self.config, self._late = folder / "config.yml", ""
        self.secrets = {name: url.replace("postgres:super", role) for name, role in roles.items()} | {"TOKEN": "token"}
        own = folder / "queries"
        own.mkdir()
        (own / "events.sql").write_text(QUERY)
        (own / "requests.sql").write_text(
            QUERY.replace("own_events", "own_requests").replace("business_event", "api_request")
            .replace("event_type", "method")
        )  # fmt: skip
        self.configure()

    def configure(self) -> None:
        """Writes the configuration, each time with another section `ingest`."""
        self._late = "2500ms" if self._late == "2s" else "2s"
        self.config.write_text(CONFIG.format(port=self._port, ingest=self._ingest, late=self._late))

    def senders(self, path: str, make: Any, seed: int) -> Senders:
        address = f"http://127.0.0.1:{self._ingest}{path}"
        return Senders(address, make, seed, (1, 1, 20), {"Authorization": "Bearer token"})

    async def start(self) -> None:
        command = (sys.executable, "-m", "exporter", "serve", "--config", str(self.config))
        self.process = await asyncio.create_subprocess_exec(
            *command, env=environment(**self.secrets), stderr=subprocess.DEVNULL
        )

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def reload(self) -> None:
        """Tells it that the section has changed, and waits until that is so."""
        self.configure()
        async with aiohttp.ClientSession() as session, session.post(f"{self._url}/-/reload") as response:
            assert response.status == 200, await response.text()

    async def page(self) -> str:
        """Its page; nothing while it starts. A recount, which comes soon after a start, never finds anything late."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self._url}/metrics") as response:
                page = await response.text()
        except aiohttp.ClientError:
            return ""
        assert total(page, LATE) == 0
        return page

    async def until(self, wanted: dict[str, float]) -> None:
        """Until the page has these totals, and a recount has found nothing that they lack."""
        found: dict[str, float] = {}
        page = ""
        try:
            async with asyncio.timeout(SOON):
                while found != wanted or LATE not in page:
                    await asyncio.sleep(0.1)
                    page = await self.page()
                    found = {name: total(page, name) for name in wanted}
        except TimeoutError:
            raise AssertionError(f"{found} instead of {wanted}") from None

    async def closes(self) -> None:
        """Until the horizon has moved twice: what comes behind it from then on would be counted by nobody."""
        horizons: set[float | None] = set()
        async with asyncio.timeout(SOON):
            while len(horizons) < 3:
                await asyncio.sleep(0.1)
                horizons.add(value(await self.page(), HORIZON))


@pytest.fixture
async def url(postgres_cluster) -> AsyncIterator[str]:
    async with app_database(postgres_cluster) as url:
        yield url


@pytest.fixture
async def exporter(postgres, url, tmp_path) -> AsyncIterator[Exporter]:
    """It runs, and may do what the printed grants let it do."""
    reader, keeper = await postgres.role("reads"), await postgres.role("keeps")
    it = Exporter(tmp_path, url, READER=f"{reader}:reads", KEEPER=f"{keeper}:keeps")
    printed = run("grants", "--role", reader, "--keeper", keeper, "--config", str(it.config), environ=it.secrets)
    connection = await asyncpg.connect(url)
    await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    await connection.execute(printed.stdout)
    await connection.close()
    await it.start()
    yield it
    if it.process.returncode is None:
        await it.kill()
    connection = await asyncpg.connect(url)
    await connection.execute(f"DROP OWNED BY {reader}, {keeper}; DROP ROLE {reader}, {keeper}")
    await connection.close()


async def keys(url: str, table: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["id"] for row in await connection.fetch(f'SELECT id FROM "{table}"')]
    finally:
        await connection.close()


async def story(exporter: Exporter, postgres: Postgres, more: Callable[[], Awaitable[object]]) -> None:
    """Everything that may happen; between two things `more` rows are acknowledged."""
    await exporter.closes()
    await exporter.reload()
    await more()

    postgres.stop()
    await more()
    await exporter.reload()
    await more()
    await exporter.kill()
    await exporter.start()
    await more()
    postgres.start()
    await exporter.closes()

    postgres.freeze()
    await more()
    await exporter.kill()
    await exporter.start()
    await more()
    await exporter.reload()
    await more()
    postgres.thaw()
    await exporter.closes()

    postgres.stop()
    postgres.start()
    await exporter.kill()
    await exporter.start()
    await more()


async def test_acknowledged_is_stored_is_counted_whatever_befalls_the_database_and_the_exporter(
    postgres, exporter, url
):
    events, requests = exporter.senders("/v1/events", signup, 1), exporter.senders("/v1/metrics", request, 2)

    async with sending(events, requests):
        for _ in range(2):
            await story(exporter, postgres, lambda: asyncio.gather(events.more(), requests.more()))

    told = {"Metric": requests.acknowledged, "BusinessEvent": events.acknowledged}
    counts = {
        "own_events_total": len(events.acknowledged), "chatterfy_signups_total": len(events.acknowledged),
        "own_requests_total": len(requests.acknowledged), "chatterfy_http_requests_total": len(requests.acknowledged),
    }  # fmt: skip
    await exporter.until({**counts, "chatterfy_ingest_spool_rows": 0, "chatterfy_ingest_dead_rows": 0})
    exporter.process.send_signal(signal.SIGTERM)
    assert await exporter.process.wait() == 0
    for table, acknowledged in told.items():
        found = await keys(url, table)
        assert len(found) == len(acknowledged)
        assert set(found) == acknowledged
