"""The command `traffic`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click

from exporter.cli.options import DURATION, PATH, URL, Field
from exporter.clock import SystemClock
from exporter.demo.site import HOST, Place, Ports
from exporter.demo.traffic_command import access, ports, run


@click.command("traffic")
@click.option(
    "--database-url-file",
    "url_file",
    type=PATH,
    help="A file that holds the database's URL; the environment's DATABASE_URL otherwise.",
)
@click.option(
    "--exporter-password-file",
    "password_file",
    type=PATH,
    help="A file that holds a password: with it, the roles `exporter` (reads), `daily` (writes the daily figures) and "
    "`keeper` (adds events and requests) are made, or given this password. Their maker has to be a superuser.",
)
@click.option(
    "--ingest-url",
    "ingest",
    type=URL,
    help="Where the exporter listens for what apps send, e.g. http://127.0.0.1:9878. Events and the request log are "
    "posted there, and wait in memory until the exporter is up; without it, they are written into the database.",
)
@click.option(
    "--ingest-token-file",
    "token_file",
    type=PATH,
    help="A file that holds the token of the exporter's sections `events`, `requests` and `deploys`.",
)
@click.option("--listen", "host", default=HOST, show_default=True, help="The address to serve on, e.g. 0.0.0.0.")
@click.option(
    "--ports",
    "at",
    type=Field("web,api,stripe,s3", ports),
    default="3000,4000,4242,9000",
    show_default=True,
    help="The four stand-ins' ports; 0 picks a free one.",
)
@click.option(
    "--deadline",
    type=DURATION,
    default="60s",
    show_default=True,
    help="How long to wait for the database, e.g. 60s or 5m.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the URLs as one line of JSON.")
def command(  # noqa: PLR0913  (its options)
    *,
    url_file: Path | None,
    password_file: Path | None,
    ingest: str | None,
    token_file: Path | None,
    host: str,
    at: Ports,
    deadline: float,
    as_json: bool,
) -> None:
    """Play a small SaaS beside a PostgreSQL that is there.

    Makes the demo's tables in an empty database, writes 30 days of history, then keeps users coming; stand-ins for the
    web site, the API, Stripe and S3 answer over plain HTTP as soon as the history is there. A database with other
    tables is refused; one that was filled before is not filled again. To begin anew, give it an empty one. The history
    needs PostgreSQL 16 or later.

    \b
    What the exporter then watches:
      the database  DATABASE_URL, as the role `exporter` where there is a password
      web           http://HOST:3000/ and /api/health
      API           http://HOST:4000/health, /admin/health/db, stripe and s3, POST /v1/chat/completions (401)
      Stripe        `api: http://HOST:4242`, with any key that begins with sk_test_
      S3            `endpoint: http://HOST:9000`, bucket demo, region us-east-1, any keys

    Needs the extra: pip install 'chatterfy-exporter[demo]'. Ctrl-C or SIGTERM stops it; the tables stay.
    """  # noqa: D301  (click's mark of lines that stay as they are)
    given = access(os.environ, url_file, password=password_file, token=token_file)
    options: dict[str, Any] = {"deadline": deadline, "as_json": as_json, "clock": SystemClock(), "ingest": ingest}
    sys.exit(asyncio.run(run(given, Place(host, at), **options)))
