"""Counters of a process that is killed again and again, over a database that is restarted, under random writers."""

import asyncio
import subprocess
import sys
from random import Random

import aiohttp
import asyncpg
import pytest

from tests.support.audit import Writers, audited, audited_database
from tests.support.cli import environment
from tests.support.running import value
from tests.support.servers import closed_port

QUERY = """-- metric: own_messages_total
-- kind: counter
-- help: Messages.
-- reads: [message]
-- labels: [provider, model]
-- every: 300ms
-- time: message.created_at
-- settle: 500ms
SELECT provider, model, count(*) AS value FROM message GROUP BY 1, 2
"""
HISTOGRAM = """-- metric: own_seconds
-- kind: histogram
-- help: How long.
-- reads: [api_request]
-- every: 300ms
-- time: api_request.created_at
-- settle: 500ms
-- buckets: [0.005, 2]
SELECT duration / 1000.0 AS value FROM api_request
"""


class Killed:
    """The exporter as a process of its own, scraped all the time; `highest` is the most that any scrape has shown."""

    def __init__(self, folder, url):
        self.port = closed_port()
        (folder / "queries").mkdir()
        (folder / "queries/own.sql").write_text(QUERY)
        (folder / "queries/seconds.sql").write_text(HISTOGRAM)
        self.config = folder / "config.yml"
        self.config.write_text(
            f"listen: 127.0.0.1:{self.port}\nlog: {{level: error}}\ndatabase: {{url: {{env: DB}}, skew: 100ms}}\n"
            "queries: {folders: [queries]}\n"
        )
        self._environ = environment(DB=url)
        self.highest: dict[str, float] = {}

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "exporter", "serve", "--config", str(self.config), env=self._environ,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    async def scrape(self):
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self.port}/metrics") as response,
            ):
                page = await response.text()
        except aiohttp.ClientError:
            return ""
        for line in page.splitlines():
            if line.startswith("own_"):
                name, _, number = line.rpartition(" ")
                assert float(number) >= self.highest.get(name, 0.0), line
                self.highest[name] = float(number)
        return page

    async def watch(self, seconds):
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await self.scrape()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("seed", [11])
async def test_kills_and_restarts_lose_nothing_and_double_nothing(tmp_path, postgres, seed):
    async with audited_database(postgres) as url:
        random = Random(seed)
        exporter = Killed(tmp_path, url)
        writers = Writers(url, seed, skew=0.05, fresh=0.4)
        await exporter.start()
        writing = asyncio.create_task(writers.run(2))
        try:
            for _ in range(3):
                await exporter.watch(2 + 1.5 * random.random())
                exporter.process.kill()
                await exporter.process.wait()
                await exporter.start()
            await exporter.watch(2.5)
            await asyncio.to_thread(postgres.stop)
            await exporter.watch(1)
            await asyncio.to_thread(postgres.start)
            await exporter.watch(3)
            writers.writing = False
            await writing
            truth = {
                f'own_messages_total{{model="{model}",provider="{provider}"}}': number
                for (provider, model), number in (await audited(url))["messages"].items()
            }
            requests = {float(seconds): number for (seconds,), number in (await audited(url))["requests"].items()}
            for bound in ("0.005", "2.0", "+Inf"):
                below = sum(number for seconds, number in requests.items() if seconds <= float(bound))
                truth[f'own_seconds_bucket{{le="{bound}"}}'] = below
            async with asyncio.timeout(15):
                while {name: value(page := await exporter.scrape(), name) for name in truth} != truth:
                    await asyncio.sleep(0.1)
        finally:
            writers.writing = False
            exporter.process.terminate()
            await exporter.process.wait()
        connection = await asyncpg.connect(url)
        rows = await connection.fetchval('SELECT count(*) FROM "Message"')
        await connection.close()

    assert {name: exporter.highest[name] for name in truth} == truth
    assert sum(number for name, number in truth.items() if name.startswith("own_messages")) == rows
    assert rows > 100
    assert "own_messages_total" in page
    assert (tmp_path / "chatterfy-exporter.sqlite").exists()
