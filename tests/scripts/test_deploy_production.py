import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.scripts.conftest import ALWAYS_HEALTHY, NAMES, SCRIPTS, WEBHOOK_PATH, Pipeline

HOSTILE = "a \"quoted\" 'value' with \\ and \\n\nand a newline, $(id), `id`, {}"
RUN_BY_PEOPLE = ["deploy-production.sh", "health-check.sh", "pre-deploy-checks.sh", "slack-notice.sh"]


async def test_a_deploy_that_goes_well_is_announced(pipeline: Pipeline):
    ended = await pipeline.run("deploy-production.sh")

    assert ended.code == 0
    assert "✅ Deployment completed successfully!" in ended.output
    assert pipeline.log == ["deployed"]
    assert pipeline.slack.notices == [
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


async def test_an_api_that_is_down_afterwards_is_rolled_back_and_told(pipeline: Pipeline):
    pipeline.api.plan("/health", 200, 503)
    pipeline.api.plan("/admin/health/db", 200, 503)

    ended = await pipeline.run("deploy-production.sh", DEADLINE="1s")

    assert ended.code == 1
    assert pipeline.log == ["deployed", "rolled back"]
    assert "❌ Deployment failed: API health check failed: " in ended.output
    (notice,) = pipeline.slack.notices
    assert notice["text"] == "❌ Chatterfy deployment to production failed"
    assert notice["attachments"][0]["color"] == "danger"
    api = pipeline.environ["API_URL"]
    assert pipeline.slack.fields() == {
        "Environment": "production",
        "Version": "abc1234",
        "Reason": f"API health check failed: {api}/health: status 503; "
        f"Database health check failed: {api}/admin/health/db: status 503",
        "Rollback": "done",
    }


async def test_a_slow_start_is_no_failure(pipeline: Pipeline):
    pipeline.api.plan("/health", 200, 503, 200)

    ended = await pipeline.run("deploy-production.sh")

    assert ended.code == 0
    assert pipeline.log == ["deployed"]
    assert pipeline.slack.notices[0]["attachments"][0]["color"] == "good"


async def test_a_deploy_command_that_fails_is_rolled_back(pipeline: Pipeline):
    ended = await pipeline.run(
        "deploy-production.sh", EXPORTER=ALWAYS_HEALTHY, DEPLOY="echo half >>log; false; echo deployed >>log"
    )

    assert ended.code == 1
    assert pipeline.log == ["half", "rolled back"]
    assert pipeline.slack.fields()["Reason"] == "the deploy command ended with exit code 1"


async def test_a_rollback_that_fails_says_so_loudly(pipeline: Pipeline):
    ended = await pipeline.run("deploy-production.sh", EXPORTER=ALWAYS_HEALTHY, DEPLOY="exit 3", ROLLBACK="exit 7")

    assert ended.code == 1
    assert "❌ THE ROLLBACK FAILED TOO (exit code 7): production NEEDS YOU NOW" in ended.output
    assert pipeline.slack.fields()["Rollback"] == "FAILED with exit code 7: production needs you now"
    assert pipeline.slack.fields()["Reason"] == "the deploy command ended with exit code 3"


async def test_without_a_rollback_the_notice_says_that_the_new_version_stays(pipeline: Pipeline):
    ended = await pipeline.run("deploy-production.sh", EXPORTER=ALWAYS_HEALTHY, DEPLOY="exit 3", ROLLBACK=None)

    assert ended.code == 1
    assert "⚠️  ROLLBACK is not set: what was deployed stays" in ended.output
    assert pipeline.slack.fields()["Rollback"] == "none (ROLLBACK is not set)"


async def test_nothing_is_deployed_when_the_checks_fail(pipeline: Pipeline):
    ended = await pipeline.run("deploy-production.sh", EXPORTER=ALWAYS_HEALTHY, APP_URL=None, DEADLINE="soon")

    assert ended.code == 1
    assert pipeline.log == []
    assert pipeline.slack.fields()["Rollback"] == "not needed: nothing was deployed"
    assert pipeline.slack.fields()["Reason"] == (
        "APP_URL is not set: set it to an address such as https://yourdomain.com; "
        "DEADLINE is not a duration such as 90s or 5m"
    )


async def test_an_interrupted_deploy_is_told_and_not_rolled_back(pipeline: Pipeline):
    process = await asyncio.create_subprocess_exec(
        SCRIPTS / "deploy-production.sh",
        cwd=pipeline.folder,
        env={**pipeline.environ, "EXPORTER": ALWAYS_HEALTHY, "DEPLOY": "echo begun; exec tail -f /dev/null"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    await process.stdout.readuntil(b"begun\n")

    os.killpg(process.pid, signal.SIGINT)

    async with asyncio.timeout(20):
        await process.communicate()
    assert process.returncode == 130
    assert pipeline.log == []
    assert pipeline.slack.fields()["Reason"] == "interrupted"
    assert pipeline.slack.fields()["Rollback"] == "not tried"


async def test_slack_being_down_fails_no_deploy(pipeline: Pipeline, unused_tcp_port: int):
    webhook = f"http://127.0.0.1:{unused_tcp_port}{WEBHOOK_PATH}"

    ended = await pipeline.run("deploy-production.sh", EXPORTER=ALWAYS_HEALTHY, SLACK_WEBHOOK=webhook)

    assert ended.code == 0
    assert "No notice was sent to Slack: curl: (7)" in ended.output
    assert "✅ Deployment completed successfully!" in ended.output


async def test_a_pipeline_without_slack_goes_on(pipeline: Pipeline):
    ended = await pipeline.run("deploy-production.sh", EXPORTER=ALWAYS_HEALTHY, SLACK_WEBHOOK=None)

    assert ended.code == 0
    assert "SLACK_WEBHOOK is not set: no notice was sent" in ended.output


async def test_hostile_values_arrive_as_they_are(pipeline: Pipeline):
    await pipeline.run(
        "deploy-production.sh",
        EXPORTER=ALWAYS_HEALTHY,
        VERSION=HOSTILE,
        ENVIRONMENT=HOSTILE,
        APP_NAME="-n",
        REQUIRED="\\'\"",
    )

    assert pipeline.slack.notices[0]["text"] == f"❌ -n deployment to {HOSTILE} failed"
    assert pipeline.slack.fields() == {
        "Environment": HOSTILE,
        "Version": HOSTILE,
        "Reason": "REQUIRED names something that is no variable: separate names by spaces",
        "Rollback": "not needed: nothing was deployed",
    }


async def test_the_version_is_the_commit_that_is_deployed(pipeline: Pipeline):
    await pipeline.shell("git init -q && git -c user.name=x -c user.email=x@y commit -q --allow-empty -m x")
    commit = (await pipeline.shell("git rev-parse HEAD")).output

    await pipeline.run("deploy-production.sh", EXPORTER=ALWAYS_HEALTHY, VERSION=None, DEPLOY='echo "$VERSION" >>log')

    (version,) = pipeline.log
    assert pipeline.slack.fields()["Version"] == version
    assert len(version) >= 7
    assert commit.startswith(version)


async def test_the_webhook_is_in_no_output_even_when_it_is_traced(pipeline: Pipeline):
    ended = await pipeline.run("deploy-production.sh", EXPORTER=ALWAYS_HEALTHY, SHELLOPTS="xtrace")

    assert ended.code == 0
    assert WEBHOOK_PATH not in ended.output
    assert not any(WEBHOOK_PATH in line for line in pipeline.slack.command_lines)


@pytest.mark.parametrize("script", RUN_BY_PEOPLE)
async def test_help_tells_what_a_script_does_and_reads(pipeline: Pipeline, script: str):
    ended = await pipeline.run(script, "--help")

    assert ended.code == 0
    for name in ["SLACK_WEBHOOK"] if script == "slack-notice.sh" else NAMES:
        assert name in ended.output


@pytest.mark.parametrize("script", RUN_BY_PEOPLE[:3])
async def test_an_argument_is_refused_and_nothing_is_done(pipeline: Pipeline, script: str):
    ended = await pipeline.run(script, "production")

    assert ended.code == 2
    assert "takes no arguments, but names from the environment: see --help" in ended.output
    assert pipeline.log == []


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda script: script.name)
async def test_a_script_is_bash_that_can_be_read(pipeline: Pipeline, script: Path):
    ended = await pipeline.shell(f"bash -n {script}")

    assert (ended.code, ended.output) == (0, "")
