"""The command `grants`."""

import os
from pathlib import Path

import click

from exporter.business import rights
from exporter.cli import database
from exporter.cli.options import configured
from exporter.errors import ConfigError, Problem
from exporter.settings import Settings, load
from exporter.tools.database_url import parse_database_url


@click.command("grants")
@configured
@click.option("--role", required=True, help="Whom the exporter logs in as; must be there already.")
@click.option("--writer", help="Whom the daily job logs in as; must be there already.")
@click.option("--keeper", help="Whom events and requests are stored as (`ingest.url`); must be there already.")
def command(path: Path | None, role: str, writer: str | None, keeper: str | None) -> None:
    """Print the least privileges that the exporter needs, as SQL.

    Nothing but the columns that the enabled queries read, with --writer the one table that the daily job
    writes, and with --keeper those that received rows are added to:

    \b
    chatterfy-exporter grants --role chatterfy_exporter --config config.yml | psql "$ADMIN_DATABASE_URL"
    """  # noqa: D301  (click's mark of lines that stay as they are)
    click.echo(_statements(load(path, os.environ), role, writer, keeper), nl=False)


def _statements(settings: Settings, role: str, writer: str | None, keeper: str | None) -> str:
    """The least privileges for what is enabled, as SQL. Raises ConfigError where there is nothing to grant."""
    name = parse_database_url(database.options(settings).url.reveal()).database
    tables = database.tables(settings)
    text = rights.reader(tables, database.enabled(settings), role, name)
    daily = settings.daily
    if writer:
        url = database.daily(settings).url
        text += "\n" + rights.writer(tables, writer, parse_database_url(url.reveal()).database if url else name)
    elif daily and daily.enabled:
        text += "\n-- The daily job writes a table: name its role with --writer.\n"
    stored = [section.STORES for section in settings.ingest.sections if section.STORES] if settings.ingest else []
    if keeper:
        text += "\n" + rights.keeper(tables, _some(stored), keeper, _kept_in(settings) or name)
    elif stored:
        text += "\n-- What is received is stored: name its role with --keeper.\n"
    return text


def _some(stored: list[str]) -> list[str]:
    if not stored:
        raise ConfigError([Problem("", "ingest", "neither `events` nor `requests` is there: nothing is stored")])
    return stored


def _kept_in(settings: Settings) -> str | None:
    url = settings.ingest.url if settings.ingest else None
    return parse_database_url(url.reveal()).database if url else None
