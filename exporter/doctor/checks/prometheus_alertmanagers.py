"""Does Prometheus know whom to tell of alerts, and do its notifications get there?"""

from collections.abc import AsyncIterator

from pydantic import BaseModel, Field, TypeAdapter

from exporter.doctor.checks.answers import PROMETHEUS
from exporter.doctor.finding import Finding, good, some, wrong
from exporter.doctor.prometheus import Data, query
from exporter.doctor.stack import Stack, check

ERRORS, DROPPED, SENT = (
    f"sum(increase(prometheus_notifications_{what}_total[2m]))" for what in ("errors", "dropped", "sent")
)
LOST = f"({ERRORS} > 0) or (({DROPPED} > 0) unless ({SENT} > 0))"
"""Alerts are repeated every minute; until Alertmanager is looked up, at each start and reload, they are dropped."""


class _Alertmanager(BaseModel):
    url: str


class _Alertmanagers(BaseModel):
    active: list[_Alertmanager] = Field(alias="activeAlertmanagers")


_ALERTMANAGERS = TypeAdapter(Data[_Alertmanagers])


@check("prometheus", PROMETHEUS)
async def prometheus_alertmanagers(stack: Stack) -> AsyncIterator[Finding]:
    """What was lost is known where Prometheus scrapes itself."""
    prometheus = stack["prometheus"]
    active = (await prometheus.read("/api/v1/alertmanagers", _ALERTMANAGERS)).data.active
    if not active:
        yield wrong(
            "knows no Alertmanager: its alerts reach nobody",
            "add the section `alerting` as prometheus/prometheus.yml has it, and reload",
        )
        return
    where = some(it.url for it in active)
    lost = sum(value for _, value in await query(prometheus, LOST))
    if lost > 0:
        yield wrong(
            f"could not hand {lost:.0f} notifications to {where} within 2 minutes",
            "see whether Alertmanager runs, and whether Prometheus can reach it by this name",
        )
    else:
        yield good(f"hands its alerts to {where}")
