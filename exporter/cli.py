"""The commands, one function each: what they take and promise stands here, which makes it long, and no work does."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from exporter import business_commands, commands
from exporter.app import VERSION
from exporter.clock import SystemClock
from exporter.config.fields import address, duration
from exporter.demo.outages import Plan
from exporter.demo.outages import parse as parse_outage
from exporter.demo.run import run as run_demo
from exporter.demo.site import HOST, Place, Ports
from exporter.demo.traffic_command import access, ports
from exporter.demo.traffic_command import run as run_traffic
from exporter.doctor.login import login
from exporter.doctor.run import run as run_doctor
from exporter.doctor.stack import SERVERS
from exporter.errors import ConfigError, ExporterError
from exporter.ingest.deploys import client as deploys
from exporter.metrics.catalogue import CATALOGUE
from exporter.probes.base import KINDS
from exporter.settings import Settings, load, schema
from exporter.smoke.run import base_url
from exporter.smoke.run import run as run_smoke


class _Group(click.Group):
    """Shows what is wrong as one line each, without a traceback: exit 2 for a configuration, 1 for anything else."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except ExporterError as error:
            click.echo(str(error), err=True)
            ctx.exit(2 if isinstance(error, ConfigError) else 1)


class _Field(click.ParamType[Any]):
    """An option that is written as the configuration writes it."""

    def __init__(self, name: str, parse: Callable[[object], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The parsed value, or the parser's own message."""
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"expected a day such as 2026-01-31, got {text!r}") from None


_DURATION = _Field("duration", duration)
_DAY = _Field("day", _day)
_ADDRESS = _Field("address", address)
_PATH = click.Path(path_type=Path)
_URL = _Field("url", base_url)
_URL_OR_NONE = _Field("url", lambda text: base_url(text) if text else "")


_config = click.option(
    "--config",
    "path",
    envvar="CHATTERFY_CONFIG",
    type=click.Path(path_type=Path),
    help="The configuration file (YAML). Without one, what the environment names is watched: DATABASE_URL, "
    "STRIPE_SECRET_KEY, S3_BUCKET, APP_URL, API_URL, SENTRY_DSN.",
)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="chatterfy-exporter")
def main() -> None:
    """Watches a SaaS and its dependencies, and shows what it sees to Prometheus and to people.

    \b
    Try it:        chatterfy-exporter demo
    Run it:        chatterfy-exporter serve --config config.yml
    Check a file:  chatterfy-exporter config check --config config.yml
    """  # noqa: D301  (click's mark of lines that stay as they are)


@main.command()
@_config
@click.option("--listen", type=_ADDRESS, help="Serve here instead of the configured address, e.g. 0.0.0.0:9877.")
def serve(path: Path | None, listen: tuple[str, int] | None) -> None:
    """Run the exporter.

    SIGTERM and SIGINT stop it, SIGHUP reads the configuration again.
    It starts, serves and says why even when every dependency is down.
    """
    asyncio.run(commands.serve(_reader(path, listen), SystemClock()))


@main.group("config", invoke_without_command=True)
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema of a configuration file.")
@click.pass_context
def config_(context: click.Context, as_schema: bool) -> None:  # noqa: FBT001  (a flag)
    """Check a configuration file, or print its schema for editors.

    For editors with the YAML language server, write the schema to a file and put this line on top of the configuration:

    \b
    # yaml-language-server: $schema=config.schema.json
    """  # noqa: D301  (click's mark, as above)
    if as_schema:
        click.echo(json.dumps(schema(), indent=2))
        context.exit()
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@config_.command()
@_config
def check(path: Path | None) -> None:
    """Check a configuration; exit 2 if it has a problem.

    Prints every problem at once, each as `file:line: key: what is wrong and what to write instead`.
    Where a database is configured, its tables are held against what the queries read: what is missing is a warning.
    """
    settings = load(path, os.environ)
    for warning in asyncio.run(business_commands.check(settings, SystemClock())):
        click.echo(warning, err=True)
    click.echo(f"{path or 'environment'}: good: {len(settings.probes)} probes")


@main.command()
@_config
@click.argument("name")
def probe(path: Path | None, name: str) -> None:
    """Run one probe now: phases, result, metrics.

    Exits 0 when it succeeds, 1 when it fails, 2 when there is no such probe.
    """
    text, success = asyncio.run(commands.probe(load(path, os.environ), name, SystemClock()))
    click.echo(text, nl=False)
    sys.exit(0 if success else 1)


@main.command()
@_config
@click.option(
    "--since", type=_DURATION, help="How far back a counter or histogram looks; 1h, or its `settle` where that is more."
)
@click.argument("name")
def query(path: Path | None, since: float | None, name: str) -> None:
    """Run one query now: rows, SQL, plan, time.

    Counters and histograms show what came of late. Nothing is written, neither to the database nor to the state.
    Exits 0 when it succeeds, 1 when it fails, 2 when there is no such query.
    """
    text, success = asyncio.run(business_commands.query(load(path, os.environ), name, since, SystemClock()))
    click.echo(text, nl=False)
    sys.exit(0 if success else 1)


@main.command()
@_config
@click.option("--role", required=True, help="Whom the exporter logs in as; must be there already.")
@click.option("--writer", help="Whom the daily job logs in as; must be there already.")
@click.option("--keeper", help="Whom events and requests are stored as (`ingest.url`); must be there already.")
def grants(path: Path | None, role: str, writer: str | None, keeper: str | None) -> None:
    """Print the least privileges that the exporter needs, as SQL.

    Nothing but the columns that the enabled queries read, with --writer the one table that the daily job
    writes, and with --keeper those that received rows are added to:

    \b
    chatterfy-exporter grants --role chatterfy_exporter --config config.yml | psql "$ADMIN_DATABASE_URL"
    """  # noqa: D301  (click's mark, as above)
    click.echo(business_commands.grants(load(path, os.environ), role, writer, keeper), nl=False)


@main.command()
@_config
@click.option("--date", "day", type=_DAY, help="The day to count, e.g. 2026-01-31.")
@click.option("--from", "first", type=_DAY, help="The first day to count.")
@click.option("--to", "last", type=_DAY, help="The last day to count.")
def daily(path: Path | None, day: date | None, first: date | None, last: date | None) -> None:
    """Count past days into the app's table of daily metrics.

    Days that were counted before are counted anew. Needs the section `daily`, whether or not the job is enabled.
    """
    begin, end = day or first, day or last
    if begin is None or end is None or (day and (first or last)):
        raise click.UsageError("expected --date, or --from and --to")
    settings = load(path, os.environ)
    with click.progressbar(length=max(1, (end - begin).days + 1), item_show_func=str, label="days") as bar:
        asyncio.run(business_commands.daily(settings, begin, end, SystemClock(), lambda done: bar.update(1, done)))
    click.echo(f"counted: {begin} to {end}")


@main.command()
@click.option("--url", default="http://127.0.0.1:9877/health", show_default=True, help="The health endpoint to ask.")
@click.option(
    "--deadline", type=_DURATION, default="60s", show_default=True, help="How long to keep asking, e.g. 60s or 5m."
)
@click.option("--interval", type=_DURATION, default="2s", show_default=True, help="How long to wait between two tries.")
def health(url: str, deadline: float, interval: float) -> None:
    """Wait until a URL answers 200: the gate after a deploy.

    Asks again and again until it is healthy (exit 0) or the deadline has passed (exit 1), and prints why it is not.
    Works with the exporter's own /health and with any other URL.
    """
    healthy = asyncio.run(commands.health(url, deadline, interval, SystemClock(), click.echo))
    sys.exit(0 if healthy else 1)


@main.command()
@click.option(
    "--alertmanager",
    "url",
    type=_URL,
    default="http://127.0.0.1:9093",
    show_default=True,
    help="Where Alertmanager is.",
)
@click.option(
    "--deadline",
    type=_DURATION,
    default="2m",
    show_default=True,
    help="How long the messages may take, e.g. 90s or 5m.",
)
@click.option("--environment", default="production", show_default=True, help="The alert's label `environment`.")
def smoke(url: str, deadline: float, environment: str) -> None:
    """Send a test alert through a running Alertmanager.

    The check after a deploy: a critical alert named SmokeTest fires, and Alertmanager's own metrics tell when each of
    its messages is taken: by Slack, by the mail server, by the exporter's /v1/alerts. Then it is resolved, which is one
    more message to each. Another alert's message in the same seconds counts too: the metrics cannot tell them apart.

    Exits 0 when all were delivered, 1 when one was not.
    """
    sys.exit(0 if asyncio.run(run_smoke(url, deadline, environment, SystemClock(), click.echo)) else 1)


@main.command()
@click.option(
    "--url",
    type=_URL,
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
@click.option("--token-file", type=click.Path(path_type=Path), help="The file that has the token.")
@click.option("--deadline", type=_DURATION, default="20s", show_default=True, help="How long it may take.")
def deploy(url: str, link: str | None, token_file: Path | None, deadline: float, **told: str | None) -> None:
    """Tell a running exporter of a deploy.

    It marks the deploy on its page, and tells Slack, Grafana and Sentry where it is configured to (`ingest.deploys`).
    Prints how that went, a line for each. The token is in --token-file, or in the environment as DEPLOYS_TOKEN.

    Exits 0 when all know of it, 1 when one does not or there is no answer, 2 when the exporter does not take it so.
    """
    status = "succeeded" if told["reason"] is None else "failed"
    body = deploys.deploy_of({**told, "url": link, "status": status})
    token = deploys.token_of(token_file, os.environ)
    sys.exit(0 if asyncio.run(deploys.tell(url, token, body, deadline, SystemClock(), say=click.echo)) else 1)


@main.command()
@click.option("--exporter", type=_URL_OR_NONE, default="http://127.0.0.1:9877", show_default=True, help="The exporter.")
@click.option("--prometheus", type=_URL_OR_NONE, default="http://127.0.0.1:9090", show_default=True, help="Prometheus.")
@click.option(
    "--alertmanager", type=_URL_OR_NONE, default="http://127.0.0.1:9093", show_default=True, help="Alertmanager."
)
@click.option("--grafana", type=_URL_OR_NONE, default="http://127.0.0.1:3001", show_default=True, help="Grafana.")
@click.option("--no-grafana", is_flag=True, help="Leave Grafana out, as --grafana '' does.")
@click.option("--grafana-user", "user", default="admin", show_default=True, help="Who logs in to Grafana.")
@click.option("--grafana-password-file", type=_PATH, help="A file with the user's password.")
@click.option("--grafana-token-file", type=_PATH, help="A file with a service account's token, instead of a password.")
def doctor(
    *, no_grafana: bool, user: str, grafana_password_file: Path | None, grafana_token_file: Path | None, **urls: str
) -> None:
    """Check a running stack, and say what is wrong and what to do.

    Asks the exporter, Prometheus, Alertmanager and Grafana how they are and whether they fit together, changes nothing,
    and prints a line for each finding. An empty URL leaves a server out: --alertmanager ''.

    Exits 0 when all is well, 1 when something is wrong, 2 when an option is.
    """
    if grafana_password_file and grafana_token_file:
        raise click.UsageError("expected --grafana-password-file or --grafana-token-file, not both")
    shown = login(user, grafana_password_file, grafana_token_file)
    servers = {name: url for name in SERVERS if (url := urls[name]) and not (name == "grafana" and no_grafana)}
    if not servers:
        raise click.UsageError("expected the URL of at least one server")
    sys.exit(0 if asyncio.run(run_doctor(servers, shown, SystemClock(), click.echo)) else 1)


@main.command()
def kinds() -> None:
    """List the kinds of probe and their options."""
    for name, kind in sorted(KINDS.items()):
        click.echo(f"{name}: {kind.__doc__}")
        for option, field in kind.model_fields.items():
            if option != "kind":
                needed = " (needed)" if field.is_required() else ""
                click.echo(f"  {field.alias or option}{needed}: {field.description}")
        click.echo()


@main.command("metrics")
def metrics_() -> None:
    """List every metric: name, kind, labels, meaning."""
    for metric in sorted(CATALOGUE.values(), key=lambda metric: metric.name):
        labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
        click.echo(f"{metric.name}{labels} ({metric.kind}): {metric.help}")


@main.command()
@click.option(
    "--outage",
    type=_Field("outage", parse_outage),
    help="Break one thing 10 s after the first results: database, hang, api, stripe, s3, slow, errors or churn; "
    "for a time (api:30) or until the end.",
)
@click.option("--duration", "length", type=_DURATION, help="End by itself after this time, e.g. 30s.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9877,
    show_default=True,
    help="The exporter's port; 0 picks a free one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the URLs as one line of JSON, first on stdout.")
def demo(outage: Plan | None, length: float | None, port: int, as_json: bool) -> None:  # noqa: FBT001  (a flag)
    """Start a small SaaS, and the exporter that watches it.

    PostgreSQL, a web site, an API, Stripe and S3, with steady traffic: all on this machine.

    Needs the extra: pip install 'chatterfy-exporter[demo]'. Ctrl-C stops it and leaves nothing behind.
    """
    sys.exit(asyncio.run(run_demo(outage=outage, duration=length, port=port, as_json=as_json, clock=SystemClock())))


@main.command()
@click.option(
    "--database-url-file",
    "url_file",
    type=click.Path(path_type=Path),
    help="A file that holds the database's URL; the environment's DATABASE_URL otherwise.",
)
@click.option(
    "--exporter-password-file",
    "password_file",
    type=click.Path(path_type=Path),
    help="A file that holds a password: with it, the roles `exporter` (reads), `daily` (writes the daily figures) and "
    "`keeper` (adds events and requests) are made, or given this password. Their maker has to be a superuser.",
)
@click.option(
    "--ingest-url",
    "ingest",
    type=_URL,
    help="Where the exporter listens for what apps send, e.g. http://127.0.0.1:9878. Events and the request log are "
    "posted there, and wait in memory until the exporter is up; without it, they are written into the database.",
)
@click.option(
    "--ingest-token-file",
    "token_file",
    type=click.Path(path_type=Path),
    help="A file that holds the token of the exporter's sections `events`, `requests` and `deploys`.",
)
@click.option("--listen", "host", default=HOST, show_default=True, help="The address to serve on, e.g. 0.0.0.0.")
@click.option(
    "--ports",
    "at",
    type=_Field("web,api,stripe,s3", ports),
    default="3000,4000,4242,9000",
    show_default=True,
    help="The four stand-ins' ports; 0 picks a free one.",
)
@click.option(
    "--deadline",
    type=_DURATION,
    default="60s",
    show_default=True,
    help="How long to wait for the database, e.g. 60s or 5m.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the URLs as one line of JSON.")
def traffic(  # noqa: PLR0913  (its options)
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
    """  # noqa: D301  (click's mark, as above)
    given = access(os.environ, url_file, password=password_file, token=token_file)
    options: dict[str, Any] = {"deadline": deadline, "as_json": as_json, "clock": SystemClock(), "ingest": ingest}
    sys.exit(asyncio.run(run_traffic(given, Place(host, at), **options)))


def _reader(path: Path | None, listen: tuple[str, int] | None) -> Callable[[], Settings]:
    """How to get the configuration, each time anew, with the command line's word on the address."""

    def read() -> Settings:
        settings = load(path, os.environ)
        return settings.model_copy(update={"listen": listen}) if listen else settings

    return read
