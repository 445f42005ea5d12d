"""The command `kinds`."""

import click

from exporter.probes.base import KINDS


@click.command("kinds")
def command() -> None:
    """List the kinds of probe and their options."""
    for name, kind in sorted(KINDS.items()):
        click.echo(f"{name}: {kind.__doc__}")
        for option, field in kind.model_fields.items():
            if option != "kind":
                needed = " (needed)" if field.is_required() else ""
                click.echo(f"  {field.alias or option}{needed}: {field.description}")
        click.echo()
