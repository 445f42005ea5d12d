"""Errors, churn and two outages at once: each in every channel once, also where Slack is busy or hangs at first."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from exporter.demo.outages import Outage
from exporter.demo.slack import Trouble
from tests.support.alerting import CHANNELS, NEXT_TIME, PROMISE, Watched, watched
from tests.support.detection import bounds

BUSY, HANGS = "web (http) is down", "api (http) is down"
DOWN = "CriticalProbeDown"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]


@dataclass(frozen=True)
class Story:
    it: Watched
    errors: dict[str, float]
    churn: dict[str, float]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story() -> AsyncIterator[Story]:
    async with watched() as it:
        slack = it.world.channels.slack
        slack.fail_next(Trouble.BUSY, BUSY)
        slack.fail_next(Trouble.HANGS, HANGS)
        since = await it.break_(Outage.ERRORS)
        await it.break_(Outage.CHURN)
        await it.break_(Outage.API)
        await it.world.sites.web.stop()
        errors, churn, *_ = await asyncio.gather(
            it.until_told("ErrorShareHigh", "", since, bounds()["ErrorShareHigh"]),
            it.until_told("HighChurn", "", since, PROMISE),
            it.until(lambda: len(slack.turned_away) == 2, bounds()[DOWN]),
        )
        await asyncio.gather(*(it.until_told(DOWN, about, since, NEXT_TIME) for about in (BUSY, HANGS)))
        yield Story(it, errors, churn)


async def test_a_fifth_of_the_requests_fails_and_every_channel_is_told_within_the_bound(story):
    assert max(story.errors.values()) <= bounds()["ErrorShareHigh"] <= 120


@pytest.mark.parametrize(("alert", "about"), [("ErrorShareHigh", ""), ("HighChurn", ""), (DOWN, BUSY), (DOWN, HANGS)])
async def test_every_channel_is_told_once(story, alert, about):
    assert [len(story.it.came(channel, alert, about)) for channel in CHANNELS] == [1, 1, 1]


@pytest.mark.parametrize("about", [BUSY, HANGS])
async def test_slack_gets_a_second_try_at_the_next_group_interval(story, about):
    (first,) = [message for message in story.it.world.channels.slack.turned_away if about in message.text]
    (arrival,) = story.it.came("slack", DOWN, about)

    assert arrival.at - first.at >= 50
    assert first.text.count(DOWN) >= 1


@pytest.mark.parametrize("about", [BUSY, HANGS])
async def test_mail_and_sentry_do_not_wait_for_slack(story, about):
    (slack,) = story.it.came("slack", DOWN, about)

    for channel in ("mail", "sentry"):
        (arrival,) = story.it.came(channel, DOWN, about)
        assert arrival.at < slack.at
