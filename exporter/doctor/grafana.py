"""As much of Grafana's API as several checks need."""

from pydantic import BaseModel, Field, TypeAdapter

from exporter.doctor.server import Server

PROMETHEUS_UID = "chatterfy-prometheus"
DATASOURCES = {PROMETHEUS_UID: "prometheus", "chatterfy-alertmanager": "alertmanager"}
"""The uids that dashboards name, and the types of these datasources."""


class _Options(BaseModel):
    interval: str = Field("15s", alias="timeInterval")
    """What Grafana assumes where nothing is said is 15 s."""


class Datasource(BaseModel):
    """A datasource as it is listed: nothing secret is part of that."""

    uid: str
    name: str
    type: str
    url: str
    options: _Options = Field(alias="jsonData")


_DATASOURCES = TypeAdapter(list[Datasource])


async def datasources(grafana: Server) -> list[Datasource]:
    """All that Grafana has."""
    return await grafana.read("/api/datasources", _DATASOURCES)
