"""The deployment scripts with stand-ins for the web, the API and Slack around them."""

import asyncio
import os
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web

from tests.support.servers import http_server

SCRIPTS = Path(__file__).parents[2] / "scripts"
WEBHOOK_PATH = "/services/T000/B000/planted-webhook-secret"
NAMES = [
    "APP_URL", "API_URL", "ENVIRONMENT", "APP_NAME", "VERSION", "DEADLINE", "REQUIRED", "CONFIG",
    "COMPOSE_FILE", "DEPLOY", "ROLLBACK", "EXPORTER", "DEPLOYS_URL", "DEPLOYS_TOKEN", "SLACK_WEBHOOK",
]  # fmt: skip
"""What the scripts read from the environment."""
ALWAYS_HEALTHY = "true"
"""An EXPORTER that finds everything in order at once, for tests of what comes after."""


class Site:
    """A web server or an API that is healthy, but for the paths where something else was planned."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._plans: dict[str, list[int]] = {}

    def plan(self, path: str, *statuses: int) -> None:
        """The path answers with each of these once, and with the last one ever after."""
        self._plans[path] = list(statuses)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        plan = self._plans.get(request.path, [200])
        return web.Response(status=plan.pop(0) if len(plan) > 1 else plan[0])


class Slack:
    """Takes notices, and remembers them and the command lines of whoever was at work meanwhile."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.requests: list[web.Request] = []
        self.notices: list[Any] = []
        self.command_lines: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        self.command_lines += [" ".join(it.cmdline()) for it in psutil.Process().children(recursive=True)]
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        if status == 200:
            self.notices.append(await request.json())
        return web.Response(status=status, headers=headers)

    def fields(self) -> dict[str, str]:
        """The fields of the only notice."""
        (notice,) = self.notices
        return {it["title"]: it["value"] for it in notice["attachments"][0]["fields"]}


@dataclass
class Ended:
    code: int
    output: str


@dataclass
class Pipeline:
    """A pipeline that runs the scripts in a folder of its own; its deploy and rollback commands write into `log`."""

    folder: Path
    environ: dict[str, str]
    web: Site = field(default_factory=Site)
    api: Site = field(default_factory=Site)
    slack: Slack = field(default_factory=Slack)

    @property
    def log(self) -> list[str]:
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    async def run(self, script: str, *arguments: str, **environ: str | None) -> Ended:
        """Runs a script to its end; a name set to None is not in its environment."""
        names = {**self.environ, **environ}
        return await self._end(
            str(SCRIPTS / script), *arguments, env={name: value for name, value in names.items() if value is not None}
        )

    async def shell(self, commands: str) -> Ended:
        """Runs commands of the test's own in the folder."""
        return await self._end("bash", "-c", commands, env=self.environ)

    async def _end(self, *command: str, env: dict[str, str]) -> Ended:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(150):
            output, _ = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, output.decode())


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline whose web, API and Slack are up and whose commands only write down that they ran."""
    environ = {name: value for name, value in os.environ.items() if name not in NAMES}
    it = Pipeline(tmp_path, environ)
    async with AsyncExitStack() as servers:
        ports = [await servers.enter_async_context(http_server(one.handle)) for one in (it.web, it.api, it.slack)]
        environ["APP_URL"], environ["API_URL"], slack = (f"http://127.0.0.1:{port}" for port in ports)
        environ["SLACK_WEBHOOK"] = slack + WEBHOOK_PATH
        environ["EXPORTER"] = f"{shlex.quote(sys.executable)} -m exporter"
        environ["VERSION"] = "abc1234"
        environ["DEADLINE"] = "20s"
        environ["DEPLOY"] = "echo deployed >>log"
        environ["ROLLBACK"] = "echo rolled back >>log"
        yield it
