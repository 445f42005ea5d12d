"""The command `demo`: the world, the exporter that watches it, and an outage where one is wanted."""

import asyncio
import json
import math
import sys
from typing import TYPE_CHECKING

import click

from exporter.clock import Clock
from exporter.demo.ending import until_told_to_stop
from exporter.demo.outages import Plan
from exporter.demo.progress import Progress

if TYPE_CHECKING:
    from exporter.demo.stack import Stack
    from exporter.demo.world import World

CALM_SECONDS = 10.0
"""From the first results to the outage: time to see what it looks like when all is well."""


async def run(*, outage: Plan | None, duration: float | None, port: int, as_json: bool, clock: Clock) -> int:
    """Runs until `duration` seconds after the first results, or SIGINT, SIGTERM or SIGHUP; returns the exit code.

    Raises ExporterError for what keeps the demo from starting.
    """
    try:
        from exporter.demo.stack import started  # noqa: PLC0415  (needs the extra `demo`, which may be missing)
    except ImportError:
        click.echo("the demo needs: pip install 'chatterfy-exporter[demo]'", err=True)
        return 2

    async def demo() -> None:
        async with started(clock, Progress(sys.stderr, "demo"), port=port) as stack:
            if missing := stack.monitoring.missing:
                click.echo(f"demo: goes on without {' and '.join(missing)}: not found on PATH", err=True)
            click.echo(json.dumps(stack.urls) if as_json else _as_text(stack))
            async with asyncio.TaskGroup() as group:
                suffering = group.create_task(_suffer(stack.world, outage, clock))
                await clock.sleep(math.inf if duration is None else duration)
                suffering.cancel()

    await until_told_to_stop(demo())
    return 0


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


def _as_text(stack: "Stack") -> str:
    urls, sites = stack.urls, stack.world.sites
    return f"""
A small SaaS is up on this machine, and the exporter watches it. Ctrl-C stops it and leaves nothing behind.

  status page   {urls["exporter"]}/
  metrics       {urls["metrics"]}
  health        {urls["exporter"]}/health
  ingest        {urls["ingest"]} (where the app and its pages post)
  the web       {sites.web.url}/ and {sites.web.tls_url}/
  the API       {sites.api.url}/health
  Prometheus    {urls["prometheus"] or "not installed"}
  Alertmanager  {urls["alertmanager"] or "not installed"}
  Slack         {urls["slack"]}/ (a stand-in; beside it /mail and /sentry)
"""
