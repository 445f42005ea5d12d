"""A running exporter that takes alerts, and how Alertmanager talks to it."""

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest

from tests.support.running import Running
from tests.support.sentry import Sentry
from tests.support.sentry import sentry as stand_in

TOKEN = "alerts-token"
SECTION = "alerts: {token: {env: TOKEN}, sentry: {env: DSN}}"
Answer = tuple[int, str]


@pytest.fixture
async def sentry() -> AsyncIterator[Sentry]:
    """A stand-in for Sentry that takes what comes."""
    async with stand_in() as it:
        yield it


@pytest.fixture
def taking_alerts(
    exporter: Callable[..., AbstractAsyncContextManager[Running]], sentry: Sentry
) -> Callable[..., AbstractAsyncContextManager[Running]]:
    """Starts an exporter that hands alerts to the stand-in."""

    def start(text: str = "", **environ: str) -> AbstractAsyncContextManager[Running]:
        return exporter(f"{SECTION}\n{text}", TOKEN=TOKEN, DSN=sentry.dsn, **environ)

    return start


@pytest.fixture
def alert() -> Callable[..., dict[str, Any]]:
    """An alert as Alertmanager writes it: status, annotations and the like by keyword, labels as a mapping."""

    def make(labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        labels = {"alertname": "CriticalProbeDown", "severity": "critical", "probe": "db"} | (labels or {})
        return {
            "status": "firing",
            "labels": labels,
            "annotations": {"summary": "The database is down."},
            "startsAt": "2026-11-24T10:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
            "fingerprint": f"{zlib.crc32(repr(sorted(labels.items())).encode()):016x}",
        } | more

    return make


@pytest.fixture
def notify() -> Callable[..., Awaitable[Answer]]:
    """Posts a notification with these alerts, as Alertmanager does; gives status and text."""

    async def send(it: Running, *alerts: Any, **more: Any) -> Answer:
        body = {
            "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing", "receiver": "critical",
            "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "http://alertmanager:9093", "alerts": list(alerts),
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(it.url + "/v1/alerts", json=body | more, headers=headers) as response,
        ):
            return response.status, await response.text()

    return send
