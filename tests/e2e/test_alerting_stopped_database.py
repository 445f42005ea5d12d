"""The database stops: one message in each channel in time, nothing that follows from it, and the end is told too."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from exporter.demo.outages import Outage
from tests.support.alerting import CHANNELS, NEXT_TIME, Watched, kind, watched
from tests.support.detection import bounds
from tests.support.rules import alerts

ALERT, ABOUT = "CriticalProbeDown", "db (postgres)"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]


@dataclass(frozen=True)
class Story:
    it: Watched
    took: dict[str, float]
    told_meanwhile: list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story() -> AsyncIterator[Story]:
    async with watched() as it:
        since = await it.break_(Outage.DATABASE)
        took = await it.until_told(ALERT, ABOUT, since, bounds()[ALERT])
        await it.until_held_back("SloBurnRateFast", within=90)
        told = [kind(message.payload) for message in it.world.channels.slack.messages]
        await it.world.mend(Outage.DATABASE)
        await it.until(lambda: all(it.came(way, ALERT, ABOUT, resolved=True) for way in ("slack", "mail")), NEXT_TIME)
        yield Story(it, took, told)


async def test_every_channel_is_told_within_the_bound(story):
    assert max(story.took.values()) <= bounds()[ALERT] <= 120


async def test_every_channel_is_told_once(story):
    assert [len(story.it.came(channel, ALERT, ABOUT)) for channel in CHANNELS] == [1, 1, 1]


async def test_what_follows_from_the_database_is_held_back(story):
    follows = {rule.alert for rule in alerts() if rule.labels.get("depends_on") == "database"}

    assert follows & set(story.told_meanwhile) == set()
    assert story.told_meanwhile.count(ALERT) == 1


async def test_the_message_says_why(story):
    (message, *_) = [it for it in story.it.world.channels.slack.messages if kind(it.payload) == ALERT]

    assert "It fails with the reason connect." in message.text


async def test_the_end_is_told_once(story):
    assert [len(story.it.came(way, ALERT, ABOUT, resolved=True)) for way in ("slack", "mail")] == [1, 1]


async def test_every_link_in_the_message_leads_somewhere(story):
    (message, *_) = [it for it in story.it.world.channels.slack.messages if kind(it.payload) == ALERT]
    links = re.findall(r"<([^|>]+)\|(\w+)>", message.payload["attachments"][0]["text"])

    async with aiohttp.ClientSession() as session:
        for url, _ in links:
            async with session.get(url.replace("&amp;", "&")) as response:
                assert response.status == 200, url
    assert [name for _, name in links] == ["Dashboard", "Runbook", "Silence"]
