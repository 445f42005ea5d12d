"""The dashboards over the running demo: every question has an answer, apart from what nothing has caused yet."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from exporter.clock import SystemClock
from tests.support.alerting import watched
from tests.support.dashboards.asking import Asking, answer_problems
from tests.support.dashboards.files import Screen, screens

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

PATIENCE = 360.0
"""Seconds from the start in which everything has to have its first value: what came within a day is counted from the
first whole five minutes on, and cost is read every minute."""

NOTHING_YET = {
    "alerts/Time to resolve, 7 days/A": "nothing critical has fired",
    "alerts/What fires, and what to do/A": "nothing fires but the Watchdog, which is left out",
    "alerts/What fired when/A": "as above",
    **dict.fromkeys((f"alerts/Noisiest of 7 days/{it}" for it in "ABC"), "as above"),
    "business/MRR, change in 30 days/A": "Prometheus has no 30 days yet",
    "chat/Cost, last hour/A": "Prometheus has no hour yet",
    "chat/Hour against week/A": "Prometheus has no hour yet",
    "dependencies/Failures by reason/A": "nothing has failed",
    "exporter/Failures by reason/A": "nothing has failed",
    "exporter/Late rows/A": "rows are recounted at some moment of the first hour",
    "exporter/Series dropped by metric/A": "nothing was dropped",
    "exporter/Refused/A": "nothing was refused",
    "exporter/Why it was not taken/A": "all was taken",
    "exporter/Why it was not taken/B": "all was taken",
    "exporter/Left out of beacons/A": "nothing was left out",
    "exporter/Passed on/B": "the demo has no PostHog to pass anything on to",
    "exporter/Not taken/B": "as above",
    "api/Check-ins of jobs/B": "no job has failed",
    "api/Events by level/A": "errors are rare: a level's first event is the birth of its series",
}
"""What may be empty, and why: by dashboard, panel and query."""


@dataclass(frozen=True)
class Running:
    """A Prometheus that has been watching since shortly before `since`."""

    url: str
    session: aiohttp.ClientSession
    since: float

    async def problems(self, screen: Screen) -> list[str]:
        asking = Asking(self.session, self.url, SystemClock().now(), new=True)
        return answer_problems([it async for it in asking.answers(screen)], NOTHING_YET)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    async with watched() as it, aiohttp.ClientSession() as session:
        yield Running(it.stack.monitoring.prometheus.url, session, SystemClock().now())


@pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)
async def test_every_question_of_a_dashboard_is_answered(running, screen):
    while problems := await running.problems(screen):
        if SystemClock().now() > running.since + PATIENCE:
            break
        await asyncio.sleep(3)

    assert not problems, "\n".join(problems)
