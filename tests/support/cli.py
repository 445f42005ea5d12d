"""The command line as tests use it: in this process, or as one of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping

from click.testing import CliRunner, Result

from exporter.cli import main


def run(*arguments: str, environ: Mapping[str, str | None] | None = None) -> Result:
    """Runs a command in this process; `exit_code`, `stdout` and `stderr` are what a user gets."""
    return CliRunner().invoke(main, arguments, env=environ, catch_exceptions=False)


def environment(**more: str) -> dict[str, str]:
    """The environment of a process of its own: this one's, with nothing in it that the exporter would watch."""
    watched = ("DATABASE_URL", "STRIPE_SECRET_KEY", "S3_BUCKET", "APP_URL", "API_URL", "SENTRY_DSN", "CHATTERFY_CONFIG")
    return {name: value for name, value in os.environ.items() if name not in watched} | more


def run_process(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a command as `python -m exporter`, as a shell would."""
    command = [sys.executable, "-m", "exporter", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment(**environ))
