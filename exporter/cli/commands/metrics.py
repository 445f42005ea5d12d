"""The command `metrics`."""

import click

import exporter.app  # noqa: F401  (declares every metric)
from exporter.metrics.catalogue import CATALOGUE


@click.command("metrics")
def command() -> None:
    """List every metric: name, kind, labels, meaning."""
    for metric in sorted(CATALOGUE.values(), key=lambda metric: metric.name):
        labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
        click.echo(f"{metric.name}{labels} ({metric.kind}): {metric.help}")
