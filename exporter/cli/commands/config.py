"""The command `config`, with `config check`."""

import asyncio
import json
import os
from pathlib import Path

import click

from exporter.business.daily import READS, WRITES
from exporter.business.horizon import SNAPSHOT
from exporter.cli import database
from exporter.cli.options import configured
from exporter.clock import Clock, SystemClock
from exporter.errors import Failed
from exporter.settings import Settings, load, schema
from exporter.tables import LOGICAL

CHECK_WITHIN = 2.0
"""Seconds for the check of the tables: with letting go of a server that hangs, the answer is there within five."""


@click.group("config", invoke_without_command=True)
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema of a configuration file.")
@click.pass_context
def command(context: click.Context, as_schema: bool) -> None:  # noqa: FBT001  (a flag)
    """Check a configuration file, or print its schema for editors.

    For editors with the YAML language server, write the schema to a file and put this line on top of the configuration:

    \b
    # yaml-language-server: $schema=config.schema.json
    """  # noqa: D301  (click's mark of lines that stay as they are)
    if as_schema:
        click.echo(json.dumps(schema(), indent=2))
        context.exit()
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command()
@configured
def check(path: Path | None) -> None:
    """Check a configuration; exit 2 if it has a problem.

    Prints every problem at once, each as `file:line: key: what is wrong and what to write instead`.
    Where a database is configured, its tables are held against what the queries read: what is missing is a warning.
    """
    settings = load(path, os.environ)
    for warning in asyncio.run(_warnings(settings, SystemClock())):
        click.echo(warning, err=True)
    click.echo(f"{path or 'environment'}: good: {len(settings.probes)} probes")


async def _warnings(settings: Settings, clock: Clock) -> list[str]:
    """What is wrong with the tables in the database, where there is one, a line each; within five seconds."""
    if settings.database is None:
        return []
    try:
        async with clock.timeout(CHECK_WITHIN), database.pool(settings.database.url, clock) as pool:
            await database.reach(pool)
            async with pool.transaction(SNAPSHOT, CHECK_WITHIN) as connection:
                growing = sorted({query.growing for query in database.enabled(settings) if query.growing})
                found = await database.tables(settings).problems(connection, _needed(settings), growing)
    except (Failed, TimeoutError) as error:
        reason = error if isinstance(error, Failed) else f"timeout: no answer within {CHECK_WITHIN:g} s"
        return [settings.redact(f"warning: tables not checked: {reason}")]
    return [f"warning: {problem.table}: {problem.message}. {problem.advice}" for problem in found]


def _needed(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The logical tables and columns that are read or written."""
    needed: dict[str, set[str]] = {}
    needs = [query.needs for query in database.enabled(settings)]
    if settings.daily and settings.daily.enabled:
        needs.append({table: LOGICAL[table] for table in (*READS, WRITES)})
    for tables in needs:
        for table, columns in tables.items():
            needed.setdefault(table, set()).update(columns)
    return {table: tuple(sorted(columns)) for table, columns in sorted(needed.items())}
