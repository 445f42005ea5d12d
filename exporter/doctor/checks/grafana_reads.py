"""Does Grafana's datasource lead to the Prometheus that scrapes the exporter?"""

from collections.abc import AsyncIterator

from pydantic import BaseModel, TypeAdapter

from exporter.app import BUILD
from exporter.doctor.checks.grafana_datasources import grafana_datasources
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.grafana import PROMETHEUS_UID
from exporter.doctor.prometheus import Data
from exporter.doctor.stack import Stack, check

HEALTH = f"/api/datasources/uid/{PROMETHEUS_UID}/health"
QUERY = f"/api/datasources/proxy/uid/{PROMETHEUS_UID}/api/v1/query"


class _Health(BaseModel):
    status: str = ""
    message: str = ""


class _Vector(BaseModel):
    result: list[object]


_HEALTH, _VECTOR = TypeAdapter(_Health), TypeAdapter(Data[_Vector])


@check("grafana", grafana_datasources)
async def grafana_reads(stack: Stack) -> AsyncIterator[Finding]:
    """Grafana's own check of the datasource comes first, since it says why; then the same way that panels take."""
    grafana = stack["grafana"]
    answer = await grafana.get(HEALTH, 400, 404, 500, 502, 504)
    if answer.status not in (200, 404):  # 404: this version has no such check
        told = grafana.shaped(HEALTH, _HEALTH, answer)
        yield wrong(
            f"cannot reach Prometheus by the datasource {PROMETHEUS_UID}: {told.message}",
            "correct its url in grafana/datasources: a name that Grafana's container knows",
        )
    elif (await grafana.read(QUERY, _VECTOR, query=BUILD.name)).data.result:
        yield good(f"finds the exporter's series by the datasource {PROMETHEUS_UID}")
    else:
        yield wrong(
            f"finds no {BUILD.name} by the datasource {PROMETHEUS_UID}",
            "see whether Prometheus scrapes the exporter, and whether the datasource's url leads to that Prometheus",
        )
