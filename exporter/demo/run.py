"""The command `demo`: the world, the exporter that watches it, and an outage where one is wanted."""

import asyncio
import json
import math
import os
import signal
import sys
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import click

from exporter.app import App
from exporter.clock import Clock
from exporter.demo.outages import Plan
from exporter.demo.progress import Progress
from exporter.settings import load

if TYPE_CHECKING:
    from exporter.demo.world import World

CALM_SECONDS = 10.0
"""From the first results to the outage: time to see what it looks like when all is well."""

POLL_SECONDS = 0.05


async def run(*, outage: Plan | None, duration: float | None, port: int, as_json: bool, clock: Clock) -> int:
    """Runs until `duration` seconds after the first results, or SIGINT, SIGTERM or SIGHUP; returns the exit code.

    Raises ExporterError for what keeps the demo from starting.
    """
    try:
        from exporter.demo.world import World  # noqa: PLC0415  (needs the extra `demo`, which may be missing)
    except ImportError:
        click.echo("the demo needs: pip install 'chatterfy-exporter[demo]'", err=True)
        return 2
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    demo = asyncio.ensure_future(_demo(World(clock, port=port), outage, duration, clock, as_json=as_json))
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait([demo, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    demo.cancel()
    with suppress(asyncio.CancelledError):
        await demo
    return 0


async def _demo(world: "World", plan: Plan | None, duration: float | None, clock: Clock, *, as_json: bool) -> None:
    async with AsyncExitStack() as closing:
        closing.push_async_callback(world.close)
        await world.start(Progress(sys.stderr))
        file = world.folder / "config.yml"
        file.write_text(world.config, encoding="utf-8")
        environ = os.environ | world.environment
        app = App(lambda: load(file, environ), clock)
        closing.push_async_callback(app.close)
        await app.start()
        while not app.probes.ready:
            await clock.sleep(POLL_SECONDS)
        await app.page.refresh()
        click.echo(_as_json(app) if as_json else _as_text(app, world))
        async with asyncio.TaskGroup() as group:
            suffering = group.create_task(_suffer(world, plan, clock))
            await clock.sleep(math.inf if duration is None else duration)
            suffering.cancel()


async def _suffer(world: "World", plan: Plan | None, clock: Clock) -> None:
    """Breaks what the plan says after a while, and mends it when its time is over."""
    if plan is None:
        return
    await clock.sleep(CALM_SECONDS)
    length = "until the end" if plan.seconds is None else f"for {plan.seconds:g} s"
    click.echo(f"demo: outage: {plan.outage} is broken {length}", err=True)
    await world.break_(plan.outage)
    if plan.seconds is not None:
        await clock.sleep(plan.seconds)
        await world.mend(plan.outage)
        click.echo(f"demo: outage: {plan.outage} is mended", err=True)


def _as_json(app: App) -> str:
    parts = {"exporter": app.url, "metrics": f"{app.url}/metrics"}
    return json.dumps(parts | dict.fromkeys(("ingest", "prometheus", "alertmanager")))


def _as_text(app: App, world: "World") -> str:
    return f"""
A small SaaS is up on this machine, and the exporter watches it. Ctrl-C stops it and leaves nothing behind.

  status page  {app.url}/
  metrics      {app.url}/metrics
  health       {app.url}/health
  the web      {world.sites.web.url}/ and {world.sites.web.tls_url}/
  the API      {world.sites.api.url}/health
"""
