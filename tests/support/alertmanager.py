"""The shipped Alertmanager configuration, amtool, and a real Alertmanager."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.support.programs import program
from tests.support.servers import closed_port

FOLDER = Path(__file__).parents[2] / "alertmanager"
CONFIG = FOLDER / "alertmanager.yml"


def configuration() -> dict[str, Any]:
    """The shipped configuration."""
    return dict(yaml.safe_load(CONFIG.read_text()))


def amtool(*arguments: str | Path) -> str:
    """What amtool prints; fails with what it complains about."""
    command = [program("amtool"), *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


class Alertmanager:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def post(self, *labels: dict[str, str]) -> None:
        """Alerts with these labels, which fire until they time out."""
        async with self._session.post(f"{self.url}/api/v2/alerts", json=[{"labels": it} for it in labels]) as response:
            assert response.status == 200, await response.text()

    async def alerts(self) -> list[Any]:
        async with self._session.get(f"{self.url}/api/v2/alerts") as response:
            return list(await response.json())

    async def ready(self) -> None:
        async with asyncio.timeout(20):
            while True:
                try:
                    async with self._session.get(f"{self.url}/-/ready") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass  # it is still starting
                await asyncio.sleep(0.05)


@asynccontextmanager
async def alertmanager(folder: Path, settings: dict[str, Any]) -> AsyncIterator[Alertmanager]:
    """Runs with this configuration and keeps what it has in `folder`."""
    port = closed_port()
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(settings))
    process = await asyncio.create_subprocess_exec(
        program("prometheus-alertmanager"), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            it = Alertmanager(f"http://127.0.0.1:{port}", session)
            await it.ready()
            yield it
    finally:
        process.terminate()
        await process.wait()
