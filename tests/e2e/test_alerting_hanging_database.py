"""The database hangs: it is told as one that is down, and why."""

import pytest

from exporter.demo.outages import Outage
from tests.support.alerting import CHANNELS, NEXT_TIME, watched
from tests.support.detection import bounds

ALERT, ABOUT = "CriticalProbeDown", "db (postgres)"


@pytest.mark.timeout(400)
async def test_every_channel_is_told_once_within_the_bound_with_the_reason_and_of_the_end():
    async with watched() as it:
        since = await it.break_(Outage.HANG)
        took = await it.until_told(ALERT, ABOUT, since, bounds()[ALERT])
        messages = [message.text for message in it.world.channels.slack.messages if ALERT in message.text]
        came = [len(it.came(channel, ALERT, ABOUT)) for channel in CHANNELS]
        await it.world.mend(Outage.HANG)
        await it.until(lambda: all(it.came(way, ALERT, ABOUT, resolved=True) for way in ("slack", "mail")), NEXT_TIME)

    assert max(took.values()) <= bounds()[ALERT] <= 120
    assert came == [1, 1, 1]
    assert ["It fails with the reason timeout." in text for text in messages] == [True]
