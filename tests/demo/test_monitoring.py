"""Prometheus and Alertmanager as the demo starts them, and what it says when one does not start."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from exporter.clock import SystemClock
from exporter.demo.channels import Channels
from exporter.demo.monitoring import Monitoring
from exporter.errors import ExporterError


class HurriedClock(SystemClock):
    """What may take a minute may take two seconds."""

    def timeout(self, seconds: float):
        return super().timeout(seconds / 30)


@asynccontextmanager
async def monitoring(
    folder: Path, channels: Channels, authority: Path, clock: SystemClock
) -> AsyncIterator[Monitoring]:
    """Watches an exporter that is not there."""
    await channels.start()
    it = Monitoring(folder, clock)
    try:
        await it.start("http://127.0.0.1:1", "token", channels, authority)
        yield it
    finally:
        await it.close()
        await channels.stop()


@pytest.fixture
def channels(server_tls) -> Channels:
    return Channels(SystemClock(), server_tls)


@pytest.fixture
def replace(tmp_path_factory, bare_path, monkeypatch) -> Callable[[str, str], None]:
    """Puts a shell script where a program would be."""
    folder = tmp_path_factory.mktemp("bin")

    def write(name: str, text: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{bare_path}")

    return write


async def json(url: str):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.json()


async def test_both_run_with_the_copies_and_end_without_a_trace(tmp_path, channels, ca_file, full_path, monkeypatch):
    monkeypatch.setenv("PATH", full_path)

    async with monitoring(tmp_path, channels, ca_file, SystemClock()) as it:
        rules = await json(f"{it.prometheus.url}/api/v1/rules")
        status = await json(f"{it.alertmanager.url}/api/v2/status")
        where = await json(f"{it.prometheus.url}/api/v1/status/flags")

    alerts = {
        rule["name"] for group in rules["data"]["groups"] for rule in group["rules"] if rule["type"] == "alerting"
    }
    assert it.missing == []
    assert {"CriticalProbeDown", "Watchdog"} <= alerts
    assert channels.mailbox.address in status["config"]["original"]
    assert status["cluster"]["status"] == "disabled"
    assert where["data"]["web.external-url"] == it.prometheus.url
    assert channels.dashboards.startswith(f"{it.prometheus.url}/graph?")
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(process.info["cmdline"] or [])
    ]


async def test_prometheus_remembers_days_in_which_all_was_well(tmp_path, channels, ca_file, full_path, monkeypatch):
    monkeypatch.setenv("PATH", full_path)

    async with monitoring(tmp_path, channels, ca_file, SystemClock()) as it:
        query = 'count_over_time(environment:chatterfy_up:min{environment="demo"}[4d])'
        (series,) = (await json(f"{it.prometheus.url}/api/v1/query?query={query}"))["data"]["result"]

    assert int(series["value"][1]) == 3 * 24 * 60 * 4


async def test_without_them_there_is_nothing_to_start(tmp_path, channels, ca_file, bare_path, monkeypatch):
    monkeypatch.setenv("PATH", bare_path)

    async with monitoring(tmp_path, channels, ca_file, SystemClock()) as it:
        assert it.missing == ["prometheus", "alertmanager"]

    assert channels.dashboards == "/"


@pytest.mark.parametrize(
    ("text", "told"), [("echo a; echo no such flag >&2; exit 3", "no such flag"), ("exit 1", "it says nothing")]
)
async def test_one_that_ends_at_once_is_an_error_with_its_last_word(tmp_path, channels, ca_file, replace, text, told):
    replace("prometheus", text)

    with pytest.raises(ExporterError) as raised:
        async with monitoring(tmp_path, channels, ca_file, SystemClock()):
            pass

    assert str(raised.value) == f"prometheus ended at once: {told}"


async def test_one_that_does_not_become_ready_is_an_error_and_ended(tmp_path, channels, ca_file, replace):
    replace("alertmanager", "echo waiting; exec sleep 60")

    with pytest.raises(ExporterError) as raised:
        async with monitoring(tmp_path, channels, ca_file, HurriedClock()):
            pass

    assert str(raised.value) == "alertmanager is not ready after 60 s: waiting"
