"""Who is told of a deploy, what they get, and what becomes of it when they do not take it."""

import asyncio

import pytest

from exporter.ingest.deploys import telling
from tests.ingest.deploys.standins import ALL, GRAFANA_TOKEN, HANGS, SENTRY_TOKEN, TOKEN, WEBHOOK, told
from tests.support.clock import FakeClock
from tests.support.running import value
from tests.support.servers import closed_port

OFF = {"slack": "off", "grafana": "off", "sentry": "off"}
FAILED = {
    "version": "1.4.3",
    "environment": "staging",
    "status": "failed",
    "app": "API",
    "reason": "status 503 & <!channel>",
    "rollback": "done",
    "url": "https://ci.example.com/runs/42?a=1",
}


async def test_slack_gets_the_notice_that_the_script_would_send(deploys, neighbours):
    async with deploys("slack") as it:
        status, outcomes = await told(it, {"version": "abc1234"})

    assert (status, outcomes) == (200, OFF | {"slack": "sent"})
    assert neighbours.slack.came == [
        {
            "text": "🚀 Chatterfy deployed to production successfully",
            "attachments": [
                {
                    "color": "good",
                    "fields": [
                        {"title": "Environment", "value": "production", "short": True},
                        {"title": "Version", "value": "abc1234", "short": True},
                    ],
                }
            ],
        }
    ]


async def test_a_failure_is_told_with_its_reason_and_without_what_slack_would_obey(deploys, neighbours):
    async with deploys("slack") as it:
        await told(it, FAILED | {"reason": "x" * 40 + "<!channel> & co"})

    (notice,) = neighbours.slack.came
    assert notice["text"] == "❌ API deployment to staging failed"
    assert notice["attachments"][0]["color"] == "danger"
    assert notice["attachments"][0]["fields"][2:] == [
        {"title": "Reason", "value": "x" * 40 + "&lt;!channel&gt; &amp; co", "short": False},
        {"title": "Rollback", "value": "done", "short": True},
        {"title": "URL", "value": "https://ci.example.com/runs/42?a=1", "short": True},
    ]


async def test_grafana_gets_an_annotation_at_the_moment_of_the_deploy(deploys, neighbours):
    async with deploys("grafana", clock=FakeClock()) as it:
        outcomes = [await told(it, FAILED), await told(it, {"version": "1.4.2"})]

    assert outcomes == [(200, OFF | {"grafana": "sent"})] * 2
    assert neighbours.grafana.came == [
        {
            "time": 1_800_000_000_000,
            "tags": ["deploy", "staging", "failed"],
            "text": "❌ API deployment to staging failed\nVersion: 1.4.3\nReason: status 503 &amp; &lt;!channel&gt;\n"
            "Rollback: done\nURL: https://ci.example.com/runs/42?a=1",
        },
        {
            "time": 1_800_000_000_000,
            "tags": ["deploy", "production", "succeeded"],
            "text": "🚀 Chatterfy deployed to production successfully\nVersion: 1.4.2",
        },
    ]


async def test_sentry_gets_a_release_and_then_its_deploy(deploys, neighbours):
    at, both = "2027-01-15T08:00:00Z", ["api", "web"]
    async with deploys("sentry", clock=FakeClock()) as it:
        outcome = await told(it, {"version": "web@1.4.2+7", "url": "https://ci.example.com/42"})

    assert outcome == (200, OFF | {"sentry": "sent"})
    assert neighbours.sentry.came == [
        {"version": "web@1.4.2+7", "dateReleased": at, "projects": both, "url": "https://ci.example.com/42"},
        {"environment": "production", "dateFinished": at, "projects": both, "url": "https://ci.example.com/42"},
    ]


async def test_sentry_is_not_told_of_a_deploy_that_failed(deploys, neighbours):
    async with deploys("sentry") as it:
        outcome = await told(it, FAILED)

    assert outcome == (200, OFF | {"sentry": "not told of failures"})
    assert neighbours.sentry.asked == 0


async def test_a_busy_slack_is_asked_again_when_it_says(deploys, neighbours):
    neighbours.slack.plan = [(429, {"Retry-After": "1"})]
    async with deploys("slack") as it:
        outcome = await told(it, {"version": "1"})

    assert outcome == (200, OFF | {"slack": "sent"})
    assert (neighbours.slack.asked, len(neighbours.slack.came)) == (2, 1)


@pytest.mark.parametrize(("says", "timeout", "pause"), [("15", "15s", 15), ("0", "500ms", 1), ("tomorrow", "1s", 1)])
async def test_a_slack_that_is_busy_for_longer_than_there_is_time_is_not_waited_for(
    deploys, neighbours, says, timeout, pause
):
    neighbours.slack.plan = [(429, {"Retry-After": says})]
    async with deploys("slack", timeout=timeout) as it:
        status, outcomes = await told(it, {"version": "1"})

    assert status == 502
    assert outcomes["slack"] == f"failed: quota: Slack is busy, and wants to be asked again in {pause} s"
    assert neighbours.slack.asked == 1


async def test_one_that_fails_stops_no_other(deploys, neighbours):
    neighbours.slack.plan = [(500, {})]
    neighbours.grafana.plan = [(HANGS, {})]
    async with deploys(*ALL, timeout="1s") as it:
        answer = await told(it, {"version": "1"})
        page = await it.page()

    assert answer == (
        502,
        {
            "slack": "failed: status: Slack's status is 500",
            "grafana": "failed: timeout: not taken within 1 s",
            "sentry": "sent",
        },
    )
    assert value(page, 'chatterfy_deploy_notices_total{receiver="sentry"}') == 1
    assert value(page, 'chatterfy_deploy_notice_failures_total{reason="status",receiver="sentry"}') == 0
    assert value(page, 'chatterfy_deploy_notice_failures_total{reason="status",receiver="slack"}') == 1
    assert value(page, 'chatterfy_deploy_notice_failures_total{reason="timeout",receiver="grafana"}') == 1


async def test_a_token_that_is_wrong_and_a_redirect_are_failures_and_nothing_secret_is_shown(
    deploys, neighbours, capfd
):
    neighbours.slack.plan = [(302, {"Location": f"{neighbours.slack.url}{WEBHOOK}"})]
    token = {"env": "SENTRY"}
    nobody = {"url": f"http://127.0.0.1:{closed_port()}", "organization": "o", "projects": ["p"], "token": token}
    async with deploys("slack", grafana={"url": neighbours.grafana.url, "token": token}, sentry=nobody) as it:
        status, outcomes = await told(it, {"version": "1"})
        page = await it.page()

    assert status == 502
    assert outcomes["slack"] == "failed: status: Slack's status is 302"
    assert outcomes["grafana"] == "failed: auth: Grafana's status is 401"
    assert outcomes["sentry"].startswith("failed: connect: 127.0.0.1:")
    shown = str(outcomes) + page + "".join(capfd.readouterr())
    assert "deploy.told" in shown
    assert not [secret for secret in (TOKEN, WEBHOOK, GRAFANA_TOKEN, SENTRY_TOKEN) if secret in shown]


async def test_what_is_told_twice_within_a_minute_is_one_deploy(deploys, neighbours):
    clock = FakeClock()
    async with deploys("slack", clock=clock) as it:
        first = await told(it, {"version": "1"})
        again = await told(it, {"version": "1", "environment": "production", "reason": "none"})
        other = await told(it, {"version": "1", "app": "Web"})
        await clock.advance(60)
        later = await told(it, {"version": "1"})
        page = await it.page()

    assert [outcomes["slack"] for _, outcomes in (first, again, other, later)] == [
        "sent",
        "sent before",
        "sent",
        "sent",
    ]
    assert len(neighbours.slack.came) == 3
    assert value(page, 'chatterfy_deploys_total{environment="production",status="succeeded"}') == 3


async def test_only_those_are_told_again_who_have_not_taken_it(deploys, neighbours):
    neighbours.slack.plan = [(500, {})]
    async with deploys("slack", "grafana") as it:
        await told(it, {"version": "1"})
        again = await told(it, {"version": "1"})

    assert again == (200, {"slack": "sent", "grafana": "sent before", "sentry": "off"})
    assert (len(neighbours.slack.came), len(neighbours.grafana.came)) == (1, 1)


async def test_what_is_told_twice_at_the_same_moment_is_one_deploy(deploys, neighbours):
    async with deploys("slack") as it:
        answers = await asyncio.gather(*(told(it, {"version": "1"}) for _ in range(5)))

    assert sorted(outcomes["slack"] for _, outcomes in answers) == ["sent", *["sent before"] * 4]
    assert len(neighbours.slack.came) == 1


async def test_no_more_deploys_are_remembered_than_there_are_places(deploys):
    async with deploys("slack") as it:
        for number in range(telling.REMEMBERED):
            await told(it, {"version": str(number)})
        _, remembered = await told(it, {"version": "0"})
        await told(it, {"version": "more"})
        _, forgotten = await told(it, {"version": "0"})

    assert (remembered["slack"], forgotten["slack"]) == ("sent before", "sent")
