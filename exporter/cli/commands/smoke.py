"""The command `smoke`."""

import asyncio
import sys

import click

from exporter.cli.options import DURATION, URL
from exporter.clock import SystemClock
from exporter.smoke.run import run


@click.command("smoke")
@click.option(
    "--alertmanager",
    "url",
    type=URL,
    default="http://127.0.0.1:9093",
    show_default=True,
    help="Where Alertmanager is.",
)
@click.option(
    "--deadline",
    type=DURATION,
    default="2m",
    show_default=True,
    help="How long the messages may take, e.g. 90s or 5m.",
)
@click.option("--environment", default="production", show_default=True, help="The alert's label `environment`.")
def command(url: str, deadline: float, environment: str) -> None:
    """Send a test alert through a running Alertmanager.

    The check after a deploy: a critical alert named SmokeTest fires, and Alertmanager's own metrics tell when each of
    its messages is taken: by Slack, by the mail server, by the exporter's /v1/alerts. Then it is resolved, which is one
    more message to each. Another alert's message in the same seconds counts too: the metrics cannot tell them apart.

    Exits 0 when all were delivered, 1 when one was not.
    """
    sys.exit(0 if asyncio.run(run(url, deadline, environment, SystemClock(), click.echo)) else 1)
