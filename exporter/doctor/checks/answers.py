"""Does each server answer at all? Whatever else is checked about it comes after that."""

from collections.abc import AsyncIterator

from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.stack import Look, Name, Stack, check
from exporter.errors import ExporterError

PATHS: dict[Name, str] = {
    "exporter": "/metrics",
    "prometheus": "/-/ready",
    "alertmanager": "/-/ready",
    "grafana": "/api/health",
}
"""What each server is asked."""


def _answers(server: Name) -> Look:
    async def look(stack: Stack) -> AsyncIterator[Finding]:
        try:
            await stack[server].get(PATHS[server])
        except ExporterError as error:
            yield wrong(str(error), f"see whether it runs and what its log says, or say where it is with --{server}")
        else:
            yield good(f"answers at {stack[server].url}")

    return look


EXPORTER, PROMETHEUS, ALERTMANAGER, GRAFANA = (check(server)(_answers(server)) for server in PATHS)
