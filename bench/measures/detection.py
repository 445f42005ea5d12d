"""How long it takes from a critical dependency going down to the message in Slack, with every shipped interval."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from bench.peers import TOOLS, PeerMissingError
from bench.report import Report, Target, figure
from exporter.app import App
from exporter.clock import SystemClock
from exporter.demo.certificate import issue
from exporter.demo.channels import Channels
from exporter.demo.configuration import ENVIRONMENT
from exporter.demo.monitoring import Monitoring
from exporter.demo.site import HOST, Site
from exporter.demo.upstreams import build_web
from exporter.settings import load
from tests.support.detection import bounds

KINDS = ("http", "tcp", "http", "tcp", "http")
"""How the servers are probed, each of the five on its own."""
CYCLE, PHASE = 15.0, 3.0
"""Prometheus scrapes and evaluates every so many seconds; each server stops that much later in a cycle."""
CALM = 2 * CYCLE
"""Seconds in which all is well: each probe has run, and Prometheus has seen it."""
TOKEN = "bench"


def measure(pace: float) -> Report:
    """Stops five servers one after the other, each at another moment of Prometheus' cycle."""
    times = asyncio.run(_measure(PHASE + CYCLE * round(2 * pace)))
    typical, bound = median(times), bounds()["CriticalProbeDown"]
    rows = [
        *(f"{kind} probe, server stopped" for kind in KINDS),
        "median",
        "the bound, computed from the shipped files",
    ]
    targets = [Target("critical dependency down, Slack told, median of five", typical, 75, " s")]
    table = [(row, f"{figure(seconds)} s") for row, seconds in zip(rows, (*times, typical, bound), strict=True)]
    return Report("detection", ("What", "Until Slack is told"), table, targets)


async def _measure(gap: float) -> list[float]:
    """The seconds until Slack was told, server by server."""
    clock = SystemClock()
    servers = {f"target_{number}": Site(build_web) for number, _ in enumerate(KINDS, 1)}
    async with _watched(servers, clock) as channels:
        await clock.sleep(CALM)
        stopped = {}
        for name, server in servers.items():
            stopped[name] = clock.now()
            await server.stop()
            await clock.sleep(gap)
        async with clock.timeout(4 * bounds()["CriticalProbeDown"]):
            while len(told := _told(channels, servers)) < len(servers):
                await clock.sleep(0.1)
    return [told[name] - moment for name, moment in stopped.items()]


def _told(channels: Channels, names: dict[str, Site]) -> dict[str, float]:
    """When Slack was first told of each server that it was told of."""
    told: dict[str, float] = {}
    for message in channels.slack.messages:
        for name in names:
            if "CriticalProbeDown" in message.text and f"{name} (" in message.text:
                told.setdefault(name, message.at)
    return told


@asynccontextmanager
async def _watched(servers: dict[str, Site], clock: SystemClock) -> AsyncIterator[Channels]:
    """Starts the servers and all that watches them."""
    os.environ["PATH"] += f"{os.pathsep}{TOOLS}/debian/usr/bin"
    async with AsyncExitStack() as closing:
        folder = Path(closing.enter_context(TemporaryDirectory()))
        authority = folder / "ca.pem"
        channels = Channels(clock, issue(authority))
        sites: list[Channels | Site] = [channels, *servers.values()]
        for site in sites:
            closing.push_async_callback(site.stop)
            await site.start()
        file = folder / "config.yml"
        file.write_text(_configuration(servers))
        app = App(lambda: load(file, {"TOKEN": TOKEN, "DSN": channels.dsn}), clock)
        closing.push_async_callback(app.close)
        await app.start()
        monitoring = Monitoring(folder, clock)
        if monitoring.missing:
            raise PeerMissingError(f"{' and '.join(monitoring.missing)}: run scripts/install-debian.sh")
        closing.push_async_callback(monitoring.close)
        await monitoring.start(app.url, TOKEN, channels, authority)
        yield channels


def _configuration(servers: dict[str, Site]) -> str:
    """Interval and timeout are the defaults."""
    probes: dict[str, dict[str, Any]] = {}
    for (name, server), kind in zip(servers.items(), KINDS, strict=True):
        target = {"url": f"{server.url}/"} if kind == "http" else {"host": HOST, "port": server.port}
        probes[name] = {"kind": kind, "critical": True, **target}
    document = {
        "listen": f"{HOST}:0",
        "environment": ENVIRONMENT,
        "log": {"level": "error"},
        "alerts": {"token": {"env": "TOKEN"}, "sentry": {"env": "DSN"}},
        "probes": probes,
    }
    return yaml.safe_dump(document)
