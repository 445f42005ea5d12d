"""The real Prometheus over a folder of blocks: it scrapes nothing, and answers on a free port of this machine."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

UNPACKED = Path(__file__).parents[2] / ".tools/debian/usr/bin"
_START = 60.0
_LIMITS = ("--query.max-samples=200000000", "--query.timeout=5m", "--storage.tsdb.retention.time=10y")


@dataclass(frozen=True)
class Programs:
    """Where Prometheus and what comes with it are."""

    prometheus: str
    promtool: str

    @classmethod
    def found(cls, path: str | None = None) -> "Programs":
        """Those on this path; else on PATH, or unpacked in the folder .tools. Raises FileNotFoundError."""
        path = path or os.pathsep.join([os.environ.get("PATH", ""), str(UNPACKED)])
        places = [shutil.which(name, path=path) for name in ("prometheus", "promtool")]
        if not all(places):
            raise FileNotFoundError("prometheus and promtool are needed: run scripts/install-debian.sh")
        return cls(*map(str, places))


class Server:
    """A running Prometheus."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def matrix(self, expression: str, begin: int, end: int, step: int) -> list[dict[str, Any]]:
        """The series of an expression between two moments."""
        form = {"query": expression, "start": str(begin), "end": str(end), "step": str(step)}
        async with self._session.post(f"{self.url}/api/v1/query_range", data=form) as response:
            answer = await response.json()
        if answer["status"] != "success":
            raise ValueError(f"{answer['error']}: {expression}")
        return list(answer["data"]["result"])

    async def ready(self, process: asyncio.subprocess.Process) -> None:
        """Waits until it answers; raises RuntimeError where it has ended instead, and TimeoutError."""
        async with asyncio.timeout(_START):
            while process.returncode is None:
                if await self._answers():
                    return
                await asyncio.sleep(0.05)
        raise RuntimeError(f"Prometheus ended at once, with the exit code {process.returncode}")

    async def _answers(self) -> bool:
        try:
            async with self._session.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def serving(
    prometheus: str, data: Path, rules: Path | None = None, port: int = 0, labels: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """Starts it over `data`, with the rules of a folder, and ends it."""
    port = port or _free_port()
    with tempfile.TemporaryDirectory(prefix="chatterfy-past-") as folder:
        config = Path(folder) / "prometheus.yml"
        settings = {
            "global": {"evaluation_interval": "15s", "external_labels": dict(labels or {})},
            "rule_files": [f"{rules}/*.yml"] if rules else [],
        }
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            prometheus, f"--config.file={config}", f"--storage.tsdb.path={data}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", *_LIMITS,
            stdout=asyncio.subprocess.DEVNULL, env=os.environ | {"GOMAXPROCS": "2"},
        )  # fmt: skip
        try:
            timeout = aiohttp.ClientTimeout(total=300)
            async with aiohttp.ClientSession(timeout=timeout) as session:
                server = Server(f"http://127.0.0.1:{port}", session)
                await server.ready(process)
                yield server
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
