"""The command `demo`."""

import asyncio
import sys

import click

from exporter.cli.options import DURATION, Field
from exporter.clock import SystemClock
from exporter.demo.outages import Plan, parse
from exporter.demo.run import run


@click.command("demo")
@click.option(
    "--outage",
    type=Field("outage", parse),
    help="Break one thing 10 s after the first results: database, hang, api, stripe, s3, slow, errors or churn; "
    "for a time (api:30) or until the end.",
)
@click.option("--duration", "length", type=DURATION, help="End by itself after this time, e.g. 30s.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9877,
    show_default=True,
    help="The exporter's port; 0 picks a free one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the URLs as one line of JSON, first on stdout.")
def command(outage: Plan | None, length: float | None, port: int, as_json: bool) -> None:  # noqa: FBT001  (a flag)
    """Start a small SaaS, and the exporter that watches it.

    PostgreSQL, a web site, an API, Stripe and S3, with steady traffic: all on this machine.

    Needs the extra: pip install 'chatterfy-exporter[demo]'. Ctrl-C stops it and leaves nothing behind.
    """
    sys.exit(asyncio.run(run(outage=outage, duration=length, port=port, as_json=as_json, clock=SystemClock())))
