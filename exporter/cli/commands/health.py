"""The command `health`."""

import asyncio
import sys
from collections.abc import Callable

import aiohttp
import click

from exporter.cli.options import DURATION
from exporter.clock import Clock, SystemClock
from exporter.errors import Failed
from exporter.tools import Tools


@click.command("health")
@click.option("--url", default="http://127.0.0.1:9877/health", show_default=True, help="The health endpoint to ask.")
@click.option(
    "--deadline", type=DURATION, default="60s", show_default=True, help="How long to keep asking, e.g. 60s or 5m."
)
@click.option("--interval", type=DURATION, default="2s", show_default=True, help="How long to wait between two tries.")
def command(url: str, deadline: float, interval: float) -> None:
    """Wait until a URL answers 200: the gate after a deploy.

    Asks again and again until it is healthy (exit 0) or the deadline has passed (exit 1), and prints why it is not.
    Works with the exporter's own /health and with any other URL.
    """
    healthy = asyncio.run(_wait(url, deadline, interval, SystemClock(), click.echo))
    sys.exit(0 if healthy else 1)


async def _wait(url: str, deadline: float, interval: float, clock: Clock, say: Callable[[str], None]) -> bool:
    """Asks a health endpoint until it answers 200 or the deadline (seconds) is over; says why not when that changes."""
    until = clock.monotonic() + deadline
    said = ""
    async with Tools(clock, str).session() as session:
        while True:
            answer = await _ask(session, url, max(0.1, min(5.0, until - clock.monotonic())))
            if answer == "healthy":
                say(f"{url}: healthy")
                return True
            if answer != said:
                say(f"{url}: {answer}")
                said = answer
            if clock.monotonic() + interval >= until:
                say(f"{url}: not healthy within {deadline:g} s")
                return False
            await clock.sleep(interval)


async def _ask(session: aiohttp.ClientSession, url: str, limit: float) -> str:
    """`healthy`, or why it is not."""
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=limit)) as response:
            if response.status == 200:
                return "healthy"
            is_json = response.content_type == "application/json"
            return f"status {response.status}{_reasons(await response.json()) if is_json else ''}"
    except TimeoutError:
        return "no answer in time"
    except Failed as failure:
        return f"no answer ({failure.reason}: {failure.detail})"
    except (aiohttp.ClientError, ValueError) as error:
        return f"no answer ({type(error).__name__})"


def _reasons(body: object) -> str:
    """What the exporter's own health JSON says of the probes that are down."""
    probes = body.get("probes") if isinstance(body, dict) else None
    if not isinstance(probes, dict):
        return ""
    down = [f"{name} ({facts.get('reason')})" for name, facts in probes.items() if facts.get("status") == "unhealthy"]
    return f": down: {', '.join(down)}" if down else ""
