"""Does Prometheus scrape what the rules and dashboards speak of?"""

from collections.abc import AsyncIterator

from exporter.doctor.checks.answers import PROMETHEUS
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.prometheus import JOB, Target, targets
from exporter.doctor.stack import Stack, check

WATCHED = {JOB: "the exporter", "prometheus": "itself", "alertmanager": "Alertmanager"}
"""The jobs of prometheus/prometheus.yml, and what they scrape."""


@check("prometheus", PROMETHEUS)
async def prometheus_targets(stack: Stack) -> AsyncIterator[Finding]:
    """A finding for each job."""
    for job, what in WATCHED.items():
        yield _judge(job, what, await targets(stack["prometheus"], job))


def _judge(job: str, what: str, found: list[Target]) -> Finding:
    if not found:
        return wrong(
            f"does not scrape {what}: there is no target of the job {job}",
            "add the job as prometheus/prometheus.yml has it, and reload",
        )
    down = [target for target in found if target.health != "up"]
    if down:
        target = down[0]
        why = target.last_error or "it has not been tried yet"
        return wrong(
            f"cannot scrape {what} at {target.scrape_url}: {why}",
            "see whether it runs, and whether Prometheus can reach it by this name",
        )
    if not all("environment" in target.labels for target in found):
        return wrong(
            f"gives what it scrapes of {what} no label environment, by which dashboards and alerts choose",
            f"give the targets of the job {job} the label, as prometheus/prometheus.yml does",
        )
    return good(f"scrapes {what} every {found[0].scrape_interval}")
