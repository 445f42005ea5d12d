"""The group of the commands: it finds them, and shows what is wrong as one line each."""

import importlib
import pkgutil
from typing import Any

import click

from exporter.cli import commands
from exporter.errors import ConfigError, ExporterError


class Commands(click.Group):
    """Has a command for each file of the folder `commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's interface)
        """The names, in the order of the alphabet."""
        return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command's file; None for a name that has none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{commands.__name__}.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command. An error exits without a traceback: 2 for a configuration, 1 for anything else."""
        try:
            return super().invoke(ctx)
        except ExporterError as error:
            click.echo(str(error), err=True)
            ctx.exit(2 if isinstance(error, ConfigError) else 1)
