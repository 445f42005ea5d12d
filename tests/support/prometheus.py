"""A real Prometheus that scrapes one target."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.programs import program
from tests.support.servers import closed_port


class Prometheus:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def query(self, expression: str) -> list[Any]:
        async with self._session.get(f"{self.url}/api/v1/query", params={"query": expression}) as response:
            return list((await response.json())["data"]["result"])

    async def until(self, expression: str, within: float = 20.0) -> list[Any]:
        """The first result of the query that is not empty."""
        async with asyncio.timeout(within):
            while True:
                try:
                    if result := await self.query(expression):
                        return result
                except aiohttp.ClientError:
                    pass  # it is still starting
                await asyncio.sleep(0.1)


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[Prometheus]:
    """Scrapes `target` (host:port) every second."""
    port = closed_port()
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: exporter, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    process = await asyncio.create_subprocess_exec(
        program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            yield Prometheus(f"http://127.0.0.1:{port}", session)
    finally:
        process.terminate()
        await process.wait()
