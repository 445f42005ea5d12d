"""Has Grafana all dashboards?"""

from collections.abc import AsyncIterator

from pydantic import BaseModel, TypeAdapter

from exporter.doctor.checks.grafana_login import grafana_login
from exporter.doctor.finding import Finding, good, some, wrong
from exporter.doctor.stack import Stack, check

DASHBOARDS = {
    f"chatterfy-{name}" for name in ("overview", "dependencies", "api", "chat", "business", "alerts", "exporter")
}


class _Hit(BaseModel):
    uid: str


_HITS = TypeAdapter(list[_Hit])


@check("grafana", grafana_login)
async def grafana_dashboards(stack: Stack) -> AsyncIterator[Finding]:
    """Asks by uid, which alerts and links use."""
    hits = await stack["grafana"].read("/api/search", _HITS, type="dash-db", dashboardUIDs=sorted(DASHBOARDS))
    missing = DASHBOARDS - {hit.uid for hit in hits}
    if missing:
        yield wrong(
            f"lacks {len(missing)} of {len(DASHBOARDS)} dashboards: {some(missing)}",
            "mount grafana/dashboards as its provisioning/dashboards; its log says what it thinks of a file",
        )
    else:
        yield good(f"has all {len(DASHBOARDS)} dashboards")
