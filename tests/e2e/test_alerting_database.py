"""The database stops: one message in each channel, none of what follows from it, and word when it is over."""

import pytest

from exporter.demo.outages import Outage
from tests.support.outage import watched


@pytest.mark.timeout(600)
async def test_a_database_that_stops_is_told_once_everywhere_and_its_return_too():
    async with watched() as it:
        await it.break_(Outage.DATABASE)
        await it.once_everywhere("CriticalProbeDown", "db (postgres) is down")
        follows = [
            message.text
            for message in it.stack.world.channels.slack.messages
            if "CriticalProbeDown" not in message.text
        ]
        await it.stack.world.mend(Outage.DATABASE)
        await it.until(lambda: it.slack("CriticalProbeDown", "RESOLVED") and it.mail("CriticalProbeDown", "RESOLVED"))

        assert follows == []
        assert len(it.slack("CriticalProbeDown", "db (postgres) is down", "RESOLVED")) == 1
        assert len(it.mail("CriticalProbeDown", "db (postgres) is down", "RESOLVED")) == 1
        assert len(it.sentry("CriticalProbeDown", "db (postgres) is down")) == 1
