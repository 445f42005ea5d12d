"""deploy-production.sh with a running exporter, which tells Slack; and without one, which fails nothing."""

import shlex
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from exporter.clock import SystemClock
from exporter.ingest.deploys import DeploysSection
from exporter.limits import LimitsOptions
from tests.scripts.conftest import WEBHOOK_PATH, Pipeline
from tests.support.relay import Relaying, relaying
from tests.support.running import value
from tests.support.servers import hang, raw_server

TOKEN = "planted-deploys-token"
TELLS = f'tell() {{ [[ "$1" != deploy ]] || exec {shlex.quote(sys.executable)} -m exporter "$@"; }}; tell'
"""An EXPORTER that finds everything in order at once, and tells of deploys as the real one does."""
NOTICE = {
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
Exporter = Callable[..., AbstractAsyncContextManager[Relaying]]


@pytest.fixture
def exporter(pipeline: Pipeline) -> Exporter:
    """An exporter that takes deploys, with its own webhook of the same Slack: `async with exporter() as it`."""

    def start(**options: object) -> AbstractAsyncContextManager[Relaying]:
        data = {"token": {"env": "TOKEN"}, "slack": {"env": "WEBHOOK"}, **options}
        webhook = pipeline.environ["SLACK_WEBHOOK"]
        return relaying(DeploysSection, data, SystemClock(), LimitsOptions(), TOKEN=TOKEN, WEBHOOK=webhook)

    return start


async def test_slack_is_told_once_and_by_the_exporter(pipeline: Pipeline, exporter: Exporter):
    async with exporter() as it:
        ended = await pipeline.run(
            "deploy-production.sh", DEPLOYS_URL=it.url, DEPLOYS_TOKEN=TOKEN, SLACK_WEBHOOK=None, SHELLOPTS="xtrace"
        )
        page = await it.page()

    assert ended.code == 0
    assert "\nslack: sent\ngrafana: off\nsentry: off\n" in ended.output
    assert pipeline.slack.notices == [NOTICE]
    labels = 'environment="production",version="abc1234"'
    assert value(page, f"chatterfy_deploy_timestamp_seconds{{{labels}}}")
    for secret in (TOKEN, WEBHOOK_PATH):
        assert secret not in ended.output
        assert not any(secret in line for line in pipeline.slack.command_lines)


async def test_a_failure_is_told_as_the_script_would_tell_it(pipeline: Pipeline, exporter: Exporter):
    async with exporter() as it:
        told = {"DEPLOYS_URL": it.url, "DEPLOYS_TOKEN": TOKEN}
        ended = await pipeline.run("deploy-production.sh", EXPORTER=TELLS, DEPLOY="exit 3", **told)
        await pipeline.run("deploy-production.sh", EXPORTER=TELLS, DEPLOY="exit 3")
        page = await it.page()

    by_exporter, by_script = pipeline.slack.notices
    assert ended.code == 1
    assert by_exporter == by_script
    assert value(page, 'chatterfy_deploys_total{environment="production",status="failed"}') == 1


async def test_an_exporter_that_hangs_or_is_dead_fails_no_deploy(pipeline: Pipeline, unused_tcp_port: int):
    hurried = TELLS.replace('"$@"', '"$@" --deadline 300ms')
    async with raw_server(hang) as port:
        hung = await pipeline.run(
            "deploy-production.sh", EXPORTER=hurried, DEPLOYS_URL=f"http://127.0.0.1:{port}", DEPLOYS_TOKEN=TOKEN
        )
    dead = await pipeline.run(
        "deploy-production.sh", EXPORTER=TELLS, DEPLOYS_URL=f"http://127.0.0.1:{unused_tcp_port}", DEPLOYS_TOKEN=TOKEN
    )

    assert (hung.code, dead.code) == (0, 0)
    assert f"http://127.0.0.1:{port}: no answer within 0.3 s" in hung.output
    assert f"http://127.0.0.1:{unused_tcp_port}: no answer (connect: " in dead.output
    assert pipeline.slack.notices == [NOTICE, NOTICE]


@pytest.mark.parametrize(
    ("options", "environ", "told"),
    [
        ({"slack": None}, {}, "slack: off"),
        ({}, {"DEPLOYS_TOKEN": "wrong"}, "expected the header `Authorization: Bearer` with this endpoint's token"),
        ({}, {"DEPLOYS_TOKEN": None}, "DEPLOYS_TOKEN, or --token-file: expected the token"),
    ],
)
async def test_where_the_exporter_tells_slack_nothing_the_script_does(
    pipeline: Pipeline, exporter: Exporter, options, environ, told
):
    async with exporter(**options) as it:
        ended = await pipeline.run(
            "deploy-production.sh", EXPORTER=TELLS, DEPLOYS_URL=it.url, **{"DEPLOYS_TOKEN": TOKEN, **environ}
        )

    assert ended.code == 0
    assert told in ended.output
    assert pipeline.slack.notices == [NOTICE]


async def test_what_the_exporter_could_not_hand_over_the_script_does(pipeline: Pipeline, exporter: Exporter):
    pipeline.slack.answers = [(500, {})]
    async with exporter() as it:
        ended = await pipeline.run("deploy-production.sh", EXPORTER=TELLS, DEPLOYS_URL=it.url, DEPLOYS_TOKEN=TOKEN)

    assert ended.code == 0
    assert "slack: failed: status: Slack's status is 500" in ended.output
    assert pipeline.slack.notices == [NOTICE]


async def test_a_version_that_the_exporter_does_not_take_is_told_by_the_script(pipeline: Pipeline, exporter: Exporter):
    async with exporter() as it:
        ended = await pipeline.run(
            "deploy-production.sh", EXPORTER=TELLS, VERSION="-x $(id)\ny", DEPLOYS_URL=it.url, DEPLOYS_TOKEN=TOKEN
        )

    assert ended.code == 0
    assert "version: expected 1 to 100 letters, digits and" in ended.output
    assert pipeline.slack.fields()["Version"] == "-x $(id)\ny"
