"""Has Grafana the datasources that the dashboards name by their uids?"""

from collections.abc import AsyncIterator

from exporter.doctor.checks.grafana_login import grafana_login
from exporter.doctor.finding import Finding, good, some, wrong
from exporter.doctor.grafana import DATASOURCES, Datasource, datasources
from exporter.doctor.stack import Stack, check


@check("grafana", grafana_login)
async def grafana_datasources(stack: Stack) -> AsyncIterator[Finding]:
    """A finding for each. Grafana does not change the uid of a datasource that it has, and says so in its log only."""
    found = await datasources(stack["grafana"])
    for uid, kind in DATASOURCES.items():
        yield _judge(uid, kind, found)


def _judge(uid: str, kind: str, found: list[Datasource]) -> Finding:
    it = next((datasource for datasource in found if datasource.uid == uid), None)
    others = some(f'"{one.name}" ({one.uid})' for one in found if one.type == kind and one.uid != uid)
    if it is None:
        there = f"; of the type {kind} it has {others}" if others else ""
        return wrong(
            f"has no datasource with the uid {uid}{there}",
            "provision grafana/datasources; a uid once given stays: delete the datasource with the other, and restart",
        )
    if it.type != kind:
        return wrong(
            f"datasource {uid} is of the type {it.type}, not {kind}",
            "delete it, provision grafana/datasources, restart",
        )
    unused = f" (no dashboard uses {others})" if others else ""
    return good(f"datasource {uid} leads to {it.url}{unused}")
