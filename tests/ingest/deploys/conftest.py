"""Fixtures of the deploys' tests: the section on a listener, and stand-ins for everybody that it tells."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

import pytest

from exporter.clock import Clock, SystemClock
from exporter.ingest.deploys import DeploysSection
from exporter.limits import LimitsOptions
from tests.ingest.deploys.standins import GRAFANA_TOKEN, SENTRY_TOKEN, TOKEN, WEBHOOK, Grafana, Sentry, Slack
from tests.support.relay import Relaying, relaying
from tests.support.servers import http_server

Deploys = Callable[..., AbstractAsyncContextManager[Relaying]]
LIMITS = LimitsOptions(rate=1e6, burst=10**6, total_rate=1e6)


@dataclass(frozen=True)
class Neighbours:
    slack: Slack
    grafana: Grafana
    sentry: Sentry


@pytest.fixture
async def neighbours() -> AsyncIterator[Neighbours]:
    """Slack, Grafana and Sentry, on 127.0.0.1."""
    it = Neighbours(Slack(), Grafana(), Sentry())
    async with AsyncExitStack() as servers:
        for one in (it.slack, it.grafana, it.sentry):
            one.url = f"http://127.0.0.1:{await servers.enter_async_context(http_server(one.handle))}"
        yield it
        for one in (it.slack, it.grafana, it.sentry):
            one.over.set()


@pytest.fixture
def deploys(neighbours: Neighbours) -> Deploys:
    """Serves the section `deploys` with these options, and with `tells` alone: `async with deploys("slack") as it`."""

    def start(
        *tells: str, clock: Clock | None = None, limits: LimitsOptions = LIMITS, **options: object
    ) -> AbstractAsyncContextManager[Relaying]:
        sections = {
            "slack": {"env": "WEBHOOK"},
            "grafana": {"url": f"{neighbours.grafana.url}/below/", "token": {"env": "GRAFANA"}},
            "sentry": {
                "url": neighbours.sentry.url,
                "organization": "chatterfy",
                "projects": ["api", "web"],
                "token": {"env": "SENTRY"},
            },
        }
        data = {"token": {"env": "TOKEN"}, **{name: sections[name] for name in tells}, **options}
        secrets = {
            "TOKEN": TOKEN,
            "WEBHOOK": neighbours.slack.url + WEBHOOK,
            "GRAFANA": GRAFANA_TOKEN,
            "SENTRY": SENTRY_TOKEN,
        }
        return relaying(DeploysSection, data, clock or SystemClock(), limits, **secrets)

    return start
