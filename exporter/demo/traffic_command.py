"""The command `traffic`: the demo's tables, its live traffic and its stand-ins, beside a PostgreSQL of the user's."""

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import click

from exporter.clock import Clock
from exporter.config.model import Options, build
from exporter.config.reader import Document
from exporter.config.secret import SecretField, Sources
from exporter.demo.connections import connections
from exporter.demo.courier import Courier
from exporter.demo.ending import until_told_to_stop
from exporter.demo.furnish import furnish, reach
from exporter.demo.outages import Outage
from exporter.demo.posting import Endpoints
from exporter.demo.progress import Progress
from exporter.demo.site import Place, Ports, Sites
from exporter.demo.traffic import Traffic
from exporter.errors import ConfigError, Problem
from exporter.tools.database_url import DatabaseUrl, DatabaseUrlField, parse_database_url
from exporter.tools.sql import sql_failure

DSN = "http://demo@sentry.example.com/1"
"""The DSN of the toy's API: its key is public, and nothing goes on to that host."""
ENVIRONMENT = "production"
"""What the toy calls its installation there, as compose/demo.yml and prometheus/prometheus.yml do."""


class Access(Options):
    """How the command comes to the database and to the exporter, and what the exporter's roles log in with."""

    database: DatabaseUrlField
    """Where it is, as whoever owns it."""
    password: SecretField | None = None
    """The roles' password; without it there are none."""
    token: SecretField | None = None
    """What the exporter's endpoints want to see."""


def access(environ: Mapping[str, str], url_file: Path | None, **files: Path | None) -> Access:
    """Reads the URL from its file or from DATABASE_URL, and `password` and `token` from theirs; raises ConfigError."""
    data: dict[str, Any] = {"database": {"file": str(url_file)} if url_file else {"env": "DATABASE_URL"}}
    data |= {name: {"file": str(file)} for name, file in files.items() if file}
    return build(Access, Document(data, "traffic"), Sources(environ, Path()))


def ports(text: object) -> Ports:
    """Reads `3000,4000,4242,9000`; raises ValueError that says what was expected."""
    numbers = [int(part) if part.isdecimal() else -1 for part in str(text).split(",")]
    if len(numbers) != 4 or not all(0 <= number <= 65535 for number in numbers):
        raise ValueError(f"expected four ports such as 3000,4000,4242,9000, got {text!r}")
    web, api, stripe, s3 = numbers
    return web, api, stripe, s3


async def run(  # noqa: PLR0913  (its options)
    given: Access, place: Place, *, deadline: float, as_json: bool, clock: Clock, ingest: str | None = None
) -> int:
    """Runs until SIGINT, SIGTERM or SIGHUP; returns the exit code.

    `deadline` (seconds) is how long the database may take to be there; `ingest` is where the exporter's endpoints are,
    which may come later. Raises ExporterError for what keeps it from starting.
    """
    try:
        from exporter.demo.standins import stand_ins  # noqa: PLC0415  (needs the extra `demo`, which may be missing)
    except ImportError:
        click.echo("traffic needs: pip install 'chatterfy-exporter[demo]'", err=True)
        return 2
    url = _public(parse_database_url(given.database.reveal()))
    password = given.password.reveal() if given.password else None
    random = Random()  # noqa: S311  (plays users, keeps no secret)
    broken: set[Outage] = set()

    def told(error: Exception | None) -> None:
        """The API's word on its database is that of the traffic."""
        if error:
            broken.add(Outage.DATABASE)
            _say(f"the database is away: {sql_failure(error, url)}")
        else:
            broken.discard(Outage.DATABASE)
            _say("the database is back")

    async def work() -> None:
        async with AsyncExitStack() as closing:
            pool = await connections(url.dsn, host=url.host, port=url.port)
            closing.callback(pool.terminate)
            await reach(pool, url, clock, deadline=deadline, say=_say)
            progress = Progress(sys.stderr, "traffic")
            await furnish(pool, url, clock, password=password, progress=progress)
            sites = stand_ins(clock, random, broken, place=place)
            for site in sites:
                closing.push_async_callback(site.stop)
                await site.start()
            progress("ready", 1.0)
            click.echo(_as_json(sites) if as_json else _as_text(sites))
            traffic = Traffic(pool, clock, random, broken, told)
            async with asyncio.TaskGroup() as group:
                if ingest:
                    endpoints = _endpoints(ingest, given, sites)
                    traffic.courier = Courier(endpoints, clock, random, broken, _say_of_the_exporter)
                    group.create_task(traffic.courier.run())
                group.create_task(traffic.run())

    await until_told_to_stop(work())
    return 0


def _public(url: DatabaseUrl) -> DatabaseUrl:
    if url.schema != "public":
        raise ConfigError(
            [Problem("traffic", "database", "the demo's tables stand in the schema public: leave out ?schema")]
        )
    return url


def _endpoints(url: str, given: Access, sites: Sites) -> Endpoints:
    token = given.token.reveal() if given.token else None
    return Endpoints(url, token, f"http://localhost:{sites.web.port}", DSN, ENVIRONMENT)


def _say_of_the_exporter(problem: str | None) -> None:
    _say(f"the exporter does not take what is posted: {problem}" if problem else "the exporter takes what is posted")


def _say(text: str) -> None:
    click.echo(f"traffic: {text}", err=True)


def _as_json(sites: Sites) -> str:
    return json.dumps({name: site.url for name, site in sites._asdict().items()})


def _as_text(sites: Sites) -> str:
    return f"""
Users come and go in the database, and the stand-ins are up. Ctrl-C stops it; the tables stay.

  the web  {sites.web.url}/
  the API  {sites.api.url}/health
  Stripe   {sites.stripe.url}
  S3       {sites.s3.url}
"""
