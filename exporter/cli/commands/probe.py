"""The command `probe`."""

import asyncio
import os
import sys
from difflib import get_close_matches
from pathlib import Path

import click

from exporter.cli.options import configured
from exporter.clock import Clock, SystemClock
from exporter.errors import ConfigError, Problem
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.probes.base import ProbeJob
from exporter.schedule import attempt
from exporter.settings import Settings, load
from exporter.telemetry import configure_logs
from exporter.tools import Tools


@click.command("probe")
@configured
@click.argument("name")
def command(path: Path | None, name: str) -> None:
    """Run one probe now: phases, result, metrics.

    Exits 0 when it succeeds, 1 when it fails, 2 when there is no such probe.
    """
    text, success = asyncio.run(_run(load(path, os.environ), name, SystemClock()))
    click.echo(text, nl=False)
    sys.exit(0 if success else 1)


async def _run(settings: Settings, name: str, clock: Clock) -> tuple[str, bool]:
    """Runs one probe once; returns what it did and whether it succeeded. Raises ConfigError for an unknown name."""
    options = settings.probes.get(name)
    if options is None:
        near = get_close_matches(name, settings.probes, n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(sorted(settings.probes)) or 'none'}"
        raise ConfigError([Problem("", "", f"no probe named '{name}' ({advice})")])
    configure_logs("debug", settings.log.format, settings.redact)
    store = Store(settings.limits.series_per_metric)
    job = ProbeJob(name, options, Tools(clock, settings.redact), store)
    job.settle(await attempt(job, clock))
    result = job.state.results[-1]
    lines = [f"{phase:<10} {seconds * 1000:10.2f} ms" for phase, seconds in result.phases]
    lines.append(f"{'whole run':<10} {result.duration * 1000:10.2f} ms")
    verdict = "succeeded" if result.success else f"failed: {result.reason}"
    lines.append(f"{name} ({options.kind}) {verdict}{f': {result.detail}' if result.detail else ''}")
    page = Page(store)
    await page.refresh()
    await options.close()
    return "\n".join(lines) + "\n\n" + page.text.plain.decode(), result.success
