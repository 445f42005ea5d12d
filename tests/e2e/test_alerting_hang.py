"""The database hangs, and Slack is busy: mail and Sentry hear at once, Slack at the next interval of the group."""

import pytest

from exporter.demo.outages import Outage
from exporter.demo.slack import Trouble
from tests.support.outage import watched


@pytest.mark.timeout(600)
async def test_a_database_that_hangs_is_told_and_a_busy_slack_gets_the_message_a_little_later():
    async with watched() as it:
        slack = it.stack.world.channels.slack
        slack.fail_next(Trouble.BUSY, "db (postgres) is down")
        await it.break_(Outage.HANG)
        await it.until(lambda: it.mail("CriticalProbeDown", "timeout") and it.sentry("CriticalProbeDown", "timeout"))
        await it.until(lambda: it.slack("CriticalProbeDown", "db (postgres) is down"))
        turned_away, arrived = slack.turned_away[0].at, it.slack("CriticalProbeDown", "db (postgres) is down")
        page = it.stack.app.page.text.plain.decode()
        await it.stack.world.mend(Outage.HANG)

        assert len(slack.turned_away) == len(arrived) == 1
        assert 50 < arrived[0] - turned_away < 90  # the group's interval is a minute
        assert len(it.mail("CriticalProbeDown", "db (postgres) is down")) == 1
        assert 'chatterfy_probe_success{kind="postgres",probe="db"} 0.0' in page
