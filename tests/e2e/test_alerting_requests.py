"""A fifth of the API's requests fails, six subscribers leave, and Slack hangs at one of the two messages."""

import pytest

from exporter.demo.outages import Outage
from exporter.demo.slack import Trouble
from tests.support.outage import watched


@pytest.mark.timeout(600)
async def test_failing_requests_and_leaving_subscribers_are_told_once_everywhere_even_when_slack_hangs():
    async with watched() as it:
        slack = it.stack.world.channels.slack
        slack.fail_next(Trouble.HANGS, "HighChurn")
        await it.break_(Outage.ERRORS, Outage.CHURN)
        await it.once_everywhere("ErrorShareHigh")
        await it.until(lambda: it.slack("HighChurn"))

        assert [len(times) for _, times in it.arrivals("HighChurn")] == [1, 1, 1]
        assert "HighChurn" in slack.turned_away[0].text
        assert "6 subscriptions" in next(message.text for message in slack.messages if "HighChurn" in message.text)
