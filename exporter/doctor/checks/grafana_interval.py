"""Does Grafana know how often Prometheus scrapes? It computes `$__rate_interval` from that."""

from collections.abc import AsyncIterator
from itertools import product

from exporter.doctor.checks.answers import PROMETHEUS
from exporter.doctor.checks.grafana_login import grafana_login
from exporter.doctor.durations import seconds
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.grafana import PROMETHEUS_UID, datasources
from exporter.doctor.prometheus import JOB, targets
from exporter.doctor.stack import Stack, check


@check("grafana", grafana_login, PROMETHEUS)
async def grafana_interval(stack: Stack) -> AsyncIterator[Finding]:
    """Says nothing where either side is missing: that is told by the checks of these."""
    scraped = {target.scrape_interval for target in await targets(stack["prometheus"], JOB)}
    given = {one.options.interval for one in await datasources(stack["grafana"]) if one.uid == PROMETHEUS_UID}
    for interval, assumed in product(sorted(scraped), given):
        if seconds(assumed) == seconds(interval):
            yield good(f"datasource {PROMETHEUS_UID} has timeInterval {assumed}, as Prometheus scrapes")
        else:
            yield wrong(
                f"datasource {PROMETHEUS_UID} has timeInterval {assumed}, Prometheus scrapes every {interval}",
                f"set timeInterval to {interval} in grafana/datasources, and restart Grafana",
            )
