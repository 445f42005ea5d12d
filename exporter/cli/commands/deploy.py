"""The command `deploy`."""

import asyncio
import os
import sys
from pathlib import Path

import click

from exporter.cli.options import DURATION, PATH, URL
from exporter.clock import SystemClock
from exporter.ingest.deploys import client as deploys


@click.command("deploy")
@click.option(
    "--url",
    type=URL,
    envvar="DEPLOYS_URL",
    default="http://127.0.0.1:9878",
    show_default=True,
    help="Where the exporter listens for what apps send.",
)
@click.option("--version", required=True, help="What was deployed.")
@click.option("--environment", help="What it was deployed to; the exporter's own environment without it.")
@click.option("--failed", "reason", metavar="REASON", help="It failed, for this reason; without it, it succeeded.")
@click.option("--rollback", metavar="TEXT", help="How the rollback went.")
@click.option("--app", help="What is deployed, for people.")
@click.option("--link", help="A page about this deploy, such as the pipeline's.")
@click.option("--token-file", type=PATH, help="The file that has the token.")
@click.option("--deadline", type=DURATION, default="20s", show_default=True, help="How long it may take.")
def command(url: str, link: str | None, token_file: Path | None, deadline: float, **told: str | None) -> None:
    """Tell a running exporter of a deploy.

    It marks the deploy on its page, and tells Slack, Grafana and Sentry where it is configured to (`ingest.deploys`).
    Prints how that went, a line for each. The token is in --token-file, or in the environment as DEPLOYS_TOKEN.

    Exits 0 when all know of it, 1 when one does not or there is no answer, 2 when the exporter does not take it so.
    """
    status = "succeeded" if told["reason"] is None else "failed"
    body = deploys.deploy_of({**told, "url": link, "status": status})
    token = deploys.token_of(token_file, os.environ)
    sys.exit(0 if asyncio.run(deploys.tell(url, token, body, deadline, SystemClock(), say=click.echo)) else 1)
