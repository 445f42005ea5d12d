"""Does this Alertmanager have Prometheus' alerts? The Watchdog always fires, and is forgotten some minutes after."""

from collections.abc import AsyncIterator
from typing import Any

from pydantic import TypeAdapter

from exporter.doctor.checks.answers import ALERTMANAGER
from exporter.doctor.checks.prometheus_alertmanagers import prometheus_alertmanagers
from exporter.doctor.checks.prometheus_rules import prometheus_rules
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.stack import Stack, check

_ALERTS = TypeAdapter(list[Any])


@check("alertmanager", ALERTMANAGER, prometheus_rules, prometheus_alertmanagers)
async def alertmanager_watchdog(stack: Stack) -> AsyncIterator[Finding]:
    """Looks in Alertmanager's own list, whether or not anything is sent."""
    if await stack["alertmanager"].read("/api/v2/alerts", _ALERTS, filter='alertname="Watchdog"'):
        yield good("has the Watchdog from Prometheus")
    else:
        yield wrong(
            "has no Watchdog, which always fires",
            "ask again in a minute; if it stays away, Prometheus tells another Alertmanager than this one",
        )
