"""The command `doctor`."""

import asyncio
import sys
from pathlib import Path

import click

from exporter.cli.options import PATH, Field
from exporter.clock import SystemClock
from exporter.config.fields import base_url
from exporter.doctor.login import login
from exporter.doctor.run import run
from exporter.doctor.stack import SERVERS

_URL_OR_NONE = Field("url", lambda text: base_url(text) if text else "")


@click.command("doctor")
@click.option("--exporter", type=_URL_OR_NONE, default="http://127.0.0.1:9877", show_default=True, help="The exporter.")
@click.option("--prometheus", type=_URL_OR_NONE, default="http://127.0.0.1:9090", show_default=True, help="Prometheus.")
@click.option(
    "--alertmanager", type=_URL_OR_NONE, default="http://127.0.0.1:9093", show_default=True, help="Alertmanager."
)
@click.option("--grafana", type=_URL_OR_NONE, default="http://127.0.0.1:3001", show_default=True, help="Grafana.")
@click.option("--no-grafana", is_flag=True, help="Leave Grafana out, as --grafana '' does.")
@click.option("--grafana-user", "user", default="admin", show_default=True, help="Who logs in to Grafana.")
@click.option("--grafana-password-file", type=PATH, help="A file with the user's password.")
@click.option("--grafana-token-file", type=PATH, help="A file with a service account's token, instead of a password.")
def command(
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
    sys.exit(0 if asyncio.run(run(servers, shown, SystemClock(), click.echo)) else 1)
