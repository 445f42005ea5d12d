"""The command line."""

import click

from exporter.cli.group import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="chatterfy-exporter", prog_name="chatterfy-exporter")
def main() -> None:
    """Watches a SaaS and its dependencies, and shows what it sees to Prometheus and to people.

    \b
    Try it:        chatterfy-exporter demo
    Run it:        chatterfy-exporter serve --config config.yml
    Check a file:  chatterfy-exporter config check --config config.yml
    """  # noqa: D301  (click's mark of lines that stay as they are)
