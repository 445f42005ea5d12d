"""The doctor's patients: the real servers with the shipped files, quickened, and a stand-in for Grafana."""

import asyncio
import re
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from exporter.clock import Clock, SystemClock
from exporter.config.secret import Secret
from exporter.doctor.checks.grafana_dashboards import DASHBOARDS
from exporter.doctor.login import Login
from exporter.doctor.run import run
from exporter.doctor.stack import Name
from tests.support.alertmanager import alertmanager, configuration
from tests.support.programs import program
from tests.support.rules import FOLDER
from tests.support.running import Running
from tests.support.servers import closed_port, http_server

Urls = Mapping[Name, str]

PASSWORD = "planted-password"
TOKEN = "planted-token"


@dataclass
class Report:
    """What the doctor said, without the colours."""

    well: bool
    text: str

    def of(self, server: str, *marks: str) -> list[str]:
        """The findings about a server, those with these marks alone where there are any."""
        found = [re.fullmatch(r"(ok|wrong|skip) +(\w+): (.+)", line) for line in self.text.splitlines()[:-1]]
        return [it[3] for it in found if it and it[2] == server and (not marks or it[1] in marks)]

    @property
    def wrong(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("wrong")]


async def until(urls: Urls, holds: Callable[[Report], bool], login: str = "") -> Report:
    """The first report that is as wanted: the servers need seconds to hear of each other."""
    report = await doctor(urls, login)
    try:
        async with asyncio.timeout(40):
            while not holds(report):
                await asyncio.sleep(0.1)
                report = await doctor(urls, login)
    except TimeoutError:
        raise AssertionError(report.text) from None
    return report


async def until_told(urls: Urls, what: str, login: str = "") -> Report:
    """The first report that says so."""
    return await until(urls, lambda report: what in report.text, login)


async def doctor(urls: Urls, login: str = "", clock: Clock | None = None) -> Report:
    """One visit; `login` is a user's `name:password`, or a token."""
    said: list[str] = []
    user, colon, password = login.partition(":")
    shown = Login.by_password(user, Secret(password)) if colon else Login.by_token(Secret(login))
    well = await run(urls, shown if login else None, clock or SystemClock(), said.append)
    return Report(well, re.sub(r"\x1b\[\d*m", "", "\n".join(said)))


class Skewed(SystemClock):
    """The machine's clock, so many seconds ahead."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def now(self) -> float:
        return super().now() + self._ahead


@asynccontextmanager
async def prometheus(folder: Path, settings: dict[str, Any], *options: str, port: int = 0) -> AsyncIterator[str]:
    """Runs Prometheus with this configuration; gives its URL when it is ready."""
    port = port or closed_port()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    process = await asyncio.create_subprocess_exec(
        program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/prometheus",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-lifecycle", *options,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _until_ready(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass  # it is still starting
            await asyncio.sleep(0.05)


async def reload(prometheus_url: str, folder: Path, settings: dict[str, Any]) -> int:
    """Gives Prometheus another configuration; the status of its answer."""
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    async with aiohttp.ClientSession() as session, session.post(f"{prometheus_url}/-/reload") as response:
        return response.status


def prometheus_settings(port: int, exporter: str, alertmanager: str) -> dict[str, Any]:
    """The shipped configuration, every second instead of every 15."""
    settings: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    settings["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    settings["rule_files"] = [f"{FOLDER}/rules/*.yml"]
    addresses = {"exporter:9877": exporter, "alertmanager:9093": alertmanager, "localhost:9090": f"127.0.0.1:{port}"}
    for job in [*settings["scrape_configs"], *settings["alerting"]["alertmanagers"]]:
        for group in job["static_configs"]:
            group["targets"] = [addresses[target].removeprefix("http://") for target in group["targets"]]
    return settings


def alertmanager_settings(exporter: str, secrets: Path) -> dict[str, Any]:
    """The shipped configuration, with its secrets in this folder."""
    text = yaml.safe_dump(configuration()).replace("/run/secrets", str(secrets))
    return dict(yaml.safe_load(text.replace("http://exporter:9877", exporter))) | {"templates": []}


@dataclass
class Servers:
    """The three real servers, well in every respect until a test breaks something."""

    exporter: str
    prometheus: str
    alertmanager: str

    @property
    def urls(self) -> dict[Name, str]:
        return {"exporter": self.exporter, "prometheus": self.prometheus, "alertmanager": self.alertmanager}


@asynccontextmanager
async def servers(folder: Path, exporter: Running) -> AsyncIterator[Servers]:
    """Starts Alertmanager and Prometheus beside an exporter that takes alerts with TOKEN."""
    (folder / "alerts_token").write_text(TOKEN)
    port = closed_port()
    async with AsyncExitStack() as closing:
        notified = await closing.enter_async_context(alertmanager(folder, alertmanager_settings(exporter.url, folder)))
        settings = prometheus_settings(port, exporter.url, notified.url)
        options = ("--storage.tsdb.retention.time=35d", "--rules.alert.resend-delay=1s")
        url = await closing.enter_async_context(prometheus(folder, settings, *options, port=port))
        yield Servers(exporter.url, url, notified.url)


def datasource(uid: str, kind: str, url: str, **more: Any) -> dict[str, Any]:
    """A datasource as Grafana lists it.

    https://grafana.com/docs/grafana/latest/developers/http_api/data_source/#get-all-data-sources
    """
    return {
        "id": 1, "uid": uid, "orgId": 1, "name": uid.title(), "type": kind, "typeName": kind.title(),
        "typeLogoUrl": f"public/app/plugins/datasource/{kind}/img/logo.svg", "access": "proxy", "url": url, "user": "",
        "database": "", "basicAuth": False, "isDefault": False, "jsonData": {}, "readOnly": True, **more,
    }  # fmt: skip


@dataclass
class Grafana:
    """Answers as Grafana's documentation says it does; its datasources are really asked."""

    datasources: list[dict[str, Any]]
    dashboards: set[str] = field(default_factory=DASHBOARDS.copy)
    password: str = PASSWORD
    token: str = TOKEN
    role: str = "Admin"
    has_health: bool = True
    refused: int = 0
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path == "/api/health":
            return web.json_response({"commit": "087143285", "database": "ok", "version": "13.1.3"})
        if request.headers.get("Authorization") not in (_basic("admin", self.password), f"Bearer {self.token}"):
            self.refused += 1
            return _message(401, "Invalid username or password", messageId="password-auth.failed")
        if path == "/api/datasources" and self.role != "Admin":
            return _message(403, "You'll need additional permissions to perform this action.")
        if path in ("/api/datasources", "/api/search"):
            return web.json_response(self._search(request) if path == "/api/search" else self.datasources)
        if found := re.fullmatch(r"/api/datasources/proxy/uid/([\w-]+)(/.+)", path):
            return await self._proxy(found[1], found[2], request)
        found = re.fullmatch(r"/api/datasources/uid/([\w-]+)/health", path)
        return await self._health(found[1]) if found and self.has_health else _message(404, "Not found")

    def _search(self, request: web.Request) -> list[dict[str, Any]]:
        assert request.query["type"] == "dash-db"
        return [
            {"id": 1, "uid": uid, "title": uid, "url": f"/d/{uid}/x", "type": "dash-db", "tags": [], "isStarred": False}
            for uid in sorted(self.dashboards & {*request.query.getall("dashboardUIDs")})
        ]

    async def _health(self, uid: str) -> web.Response:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self._url(uid)}/api/v1/query", params={"query": "1+1"}) as response,
            ):
                response.raise_for_status()
        except aiohttp.ClientError as error:
            return web.json_response({"message": f"There was an error: {error}", "status": "ERROR"}, status=400)
        return web.json_response({"message": "Successfully queried the Prometheus API.", "status": "OK"})

    async def _proxy(self, uid: str, path: str, request: web.Request) -> web.Response:
        async with (
            aiohttp.ClientSession() as session,
            session.get(self._url(uid) + path, params=request.query) as response,
        ):
            return web.Response(body=await response.read(), status=response.status, content_type="application/json")

    def _url(self, uid: str) -> str:
        return next(str(it["url"]) for it in self.datasources if it["uid"] == uid)


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _message(status: int, text: str, **more: str) -> web.Response:
    return web.json_response({"message": text, "statusCode": status, "traceID": "", **more}, status=status)


@asynccontextmanager
async def grafana(
    prometheus_url: str, notified: str = "http://127.0.0.1:9", interval: str = "1s"
) -> AsyncIterator[Grafana]:
    """A stand-in that is provisioned as grafana/datasources does it."""
    it = Grafana(
        [
            datasource("chatterfy-prometheus", "prometheus", prometheus_url, jsonData={"timeInterval": interval}),
            datasource("chatterfy-alertmanager", "alertmanager", notified, jsonData={"implementation": "prometheus"}),
        ]
    )
    async with http_server(it.answer) as port:
        it.url = f"http://127.0.0.1:{port}"
        yield it
