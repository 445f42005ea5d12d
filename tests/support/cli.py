"""The command line as tests use it."""

from collections.abc import Mapping

from click.testing import CliRunner, Result

from exporter.cli import main


def run(*arguments: str, environ: Mapping[str, str | None] | None = None) -> Result:
    """Runs a command in this process; `exit_code`, `stdout` and `stderr` are what a user gets."""
    return CliRunner().invoke(main, arguments, env=environ, catch_exceptions=False)
