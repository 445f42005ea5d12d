"""The profile `scale` without containers: the shipped file makes a real Prometheus write to a real VictoriaMetrics."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.compose import services
from tests.support.programs import program
from tests.support.prometheus import Prometheus
from tests.support.servers import closed_port, hang, raw_server

SHIPPED = Path(__file__).parents[2] / "prometheus"
LATENCY = 30
"""Seconds for which VictoriaMetrics holds back what is new, by default."""


class Store(Prometheus):
    """VictoriaMetrics answers Prometheus' queries, and more."""

    async def series(self) -> list[dict[str, str]]:
        """The labels of all that it has."""
        async with self._session.get(f"{self.url}/api/v1/series", params={"match[]": '{__name__=~".+"}'}) as response:
            return list((await response.json())["data"])

    async def status(self, path: str) -> int:
        async with self._session.get(self.url + path) as response:
            return response.status


@asynccontextmanager
async def running(*command: str | Path) -> AsyncIterator[None]:
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=nowhere, stderr=nowhere)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def arguments(service: str, replacements: dict[str, str]) -> list[str]:
    """What the Compose file starts the service with, for one machine."""
    command: list[str] = services()[service]["command"]
    for old, new in replacements.items():
        assert any(old in argument for argument in command), old
        command = [argument.replace(old, new) for argument in command]
    return command


def configuration(folder: Path, replacements: dict[str, str]) -> None:
    """The shipped folder, with other addresses."""
    shutil.copytree(SHIPPED, folder)
    text = (SHIPPED / "victoria-metrics.yml").read_text()
    for old, new in replacements.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "victoria-metrics.yml").write_text(text)


@asynccontextmanager
async def scale(folder: Path, exporter: str) -> AsyncIterator[tuple[Prometheus, Store]]:
    """Prometheus and VictoriaMetrics, started as the Compose file does."""
    prometheus, store = f"127.0.0.1:{closed_port()}", f"127.0.0.1:{closed_port()}"
    configuration(folder / "etc", {
        "exporter:9877": exporter, "localhost:9090": prometheus, "alertmanager:9093": f"127.0.0.1:{closed_port()}",
        "victoria-metrics:9090": store,
    })  # fmt: skip
    files = {"/etc/prometheus/prometheus.yml": f"{folder}/etc/victoria-metrics.yml", "=/prometheus": f"={folder}/data"}
    kept = {"/victoria-metrics-data": f"{folder}/kept", "=:9090": f"={store}"}
    async with (
        running(program("victoria-metrics"), *arguments("victoria-metrics", kept)),
        running(program("prometheus"), *arguments("prometheus", files), f"--web.listen-address={prometheus}"),
        aiohttp.ClientSession() as session,
    ):
        yield Prometheus(f"http://{prometheus}", session), Store(f"http://{store}", session)


async def test_what_was_scraped_and_recorded_is_in_the_long_term_store(exporter, tmp_path):
    async with raw_server(hang) as port:
        probes = f"probes: {{db: {{kind: tcp, host: 127.0.0.1, port: {port}, critical: true}}}}"
        async with (
            exporter(probes) as it,
            scale(tmp_path, it.url.removeprefix("http://")) as (prometheus, store),
        ):
            (recorded,) = await prometheus.until("environment:chatterfy_up:min", within=60)
            await store.until("count(up) == 3", within=60 + LATENCY)
            found = {
                name: await store.until(name, within=60 + LATENCY)
                for name in ("chatterfy_probe_success", "environment:chatterfy_up:min", "up")
            }
            series = await store.series()
            health = await store.status("/health")

    assert [sample["value"][1] for sample in found["chatterfy_probe_success"]] == ["1"]
    assert found["chatterfy_probe_success"][0]["metric"] == labels(
        "chatterfy_probe_success", it.url, probe="db", kind="tcp"
    )
    assert found["environment:chatterfy_up:min"][0]["metric"] == recorded["metric"]
    assert {sample["metric"]["job"] for sample in found["up"]} == {"chatterfy-exporter", "prometheus", "alertmanager"}
    assert {one["environment"] for one in series} == {"production"}
    assert not [one for one in series if one.keys() & {"dashboards", "runbooks"}]
    assert health == 200


def labels(name: str, url: str, **more: str) -> dict[str, Any]:
    target = {"job": "chatterfy-exporter", "instance": url.removeprefix("http://"), "environment": "production"}
    return {"__name__": name, **target, **more}
