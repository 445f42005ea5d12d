import pytest

from tests.scripts.conftest import WEBHOOK_PATH, Pipeline

HOSTILE = "a \"quoted\" 'value' with \\ and \\n\nand a newline, -x, $(id), `id`, {}, é"


async def test_a_notice_arrives_in_the_form_that_slack_reads(pipeline: Pipeline):
    ended = await pipeline.run("slack-notice.sh", "good", "All is well", "Version", "abc1234", "Reason", "long " * 9)

    assert ended.code == 0
    assert pipeline.slack.notices == [
        {
            "text": "All is well",
            "attachments": [
                {
                    "color": "good",
                    "fields": [
                        {"title": "Version", "value": "abc1234", "short": True},
                        {"title": "Reason", "value": "long " * 9, "short": False},
                    ],
                }
            ],
        }
    ]
    (request,) = pipeline.slack.requests
    assert (request.method, request.content_type) == ("POST", "application/json")


async def test_hostile_values_arrive_as_they_are(pipeline: Pipeline):
    await pipeline.run("slack-notice.sh", "good", HOSTILE, "-Title", HOSTILE, "Empty", "")

    assert pipeline.slack.notices[0]["text"] == HOSTILE
    assert pipeline.slack.fields() == {"-Title": HOSTILE, "Empty": ""}


async def test_what_slack_would_obey_is_shown_instead(pipeline: Pipeline):
    await pipeline.run("slack-notice.sh", "good", "a & <!channel>")

    assert pipeline.slack.notices[0]["text"] == "a &amp; &lt;!channel&gt;"


async def test_an_endless_value_is_cut(pipeline: Pipeline):
    await pipeline.run("slack-notice.sh", "danger", "x" * 50_000)

    assert pipeline.slack.notices[0]["text"] == "x" * 2000


async def test_a_busy_slack_is_asked_once_more_when_it_says(pipeline: Pipeline):
    pipeline.slack.answers = [(429, {"Retry-After": "1"})]

    ended = await pipeline.run("slack-notice.sh", "good", "All is well")

    assert ended.code == 0
    assert [notice["text"] for notice in pipeline.slack.notices] == ["All is well"]


async def test_a_slack_that_stays_busy_is_asked_no_third_time(pipeline: Pipeline):
    pipeline.slack.answers = [(429, {"Retry-After": "1"})] * 3

    ended = await pipeline.run("slack-notice.sh", "good", "All is well")

    assert ended.code == 1
    assert "No notice was sent to Slack: curl: (22)" in ended.output
    assert len(pipeline.slack.requests) == 2


async def test_a_slack_that_is_busy_for_long_is_not_waited_for(pipeline: Pipeline):
    pipeline.slack.answers = [(429, {"Retry-After": "3600"})]

    ended = await pipeline.run("slack-notice.sh", "good", "All is well")

    assert ended.code == 1
    assert len(pipeline.slack.requests) == 1


async def test_without_a_webhook_it_says_so_and_is_content(pipeline: Pipeline):
    ended = await pipeline.run("slack-notice.sh", "good", "All is well", SLACK_WEBHOOK=None)

    assert (ended.code, ended.output) == (0, "SLACK_WEBHOOK is not set: no notice was sent\n")


@pytest.mark.parametrize(
    "webhook", ["planted", 'http://127.0.0.1/planted"\noutput = "x', "https://127.0.0.1/a planted"]
)
async def test_a_webhook_that_is_no_address_is_refused_unseen(pipeline: Pipeline, webhook: str):
    ended = await pipeline.run("slack-notice.sh", "good", "All is well", SLACK_WEBHOOK=webhook)

    assert ended.code == 1
    assert "SLACK_WEBHOOK is not an address" in ended.output
    assert "planted" not in ended.output


@pytest.mark.parametrize("answers", [[], [(500, {})] * 2, [(404, {})]])
async def test_the_webhook_is_in_no_output_and_on_no_command_line(pipeline: Pipeline, answers):
    pipeline.slack.answers = answers

    ended = await pipeline.run("slack-notice.sh", "good", "All is well", SHELLOPTS="xtrace")

    assert WEBHOOK_PATH not in ended.output
    assert any("curl" in line for line in pipeline.slack.command_lines)
    assert not any(WEBHOOK_PATH in line for line in pipeline.slack.command_lines)


@pytest.mark.parametrize("arguments", [[], ["good"], ["good", "All is well", "Version"]])
async def test_arguments_that_make_no_sense_are_refused(pipeline: Pipeline, arguments: list[str]):
    ended = await pipeline.run("slack-notice.sh", *arguments)

    assert (ended.code, ended.output) == (2, "slack-notice.sh: expected COLOR TEXT [TITLE VALUE]..., see --help\n")
