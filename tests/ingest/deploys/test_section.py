"""What is taken at /v1/deploys, and what the page shows of it."""

import re

import pytest

from exporter.config.model import build
from exporter.config.reader import Document
from exporter.config.secret import Sources
from exporter.errors import ConfigError
from exporter.ingest.deploys import DeploysSection
from tests.ingest.deploys.standins import told
from tests.support.clock import FakeClock
from tests.support.running import value

SERIES = re.compile(r'^chatterfy_deploy_timestamp_seconds\{environment="(.*)",version="(.*)"\} (\S+)$', re.MULTILINE)


async def test_the_page_shows_the_last_ten_versions_of_an_environment(deploys):
    clock = FakeClock()
    async with deploys(clock=clock) as it:
        for version in ["1.0", "1.1", *[f"2.{number}" for number in range(9)]]:
            await told(it, {"version": version})
        await clock.advance(60)
        await told(it, {"version": "1.1"})
        await told(it, {"version": "3.0", "environment": "staging"})
        await told(it, {"version": "4.0", "status": "failed"})
        page = await it.page()

    shown = SERIES.findall(page)
    assert {version for environment, version, _ in shown if environment == "production"} == {
        "1.1", *[f"2.{number}" for number in range(9)]
    }  # fmt: skip
    assert value(page, 'chatterfy_deploy_timestamp_seconds{environment="production",version="2.8"}') == 1_800_000_000
    assert value(page, 'chatterfy_deploy_timestamp_seconds{environment="production",version="1.1"}') == 1_800_000_060
    assert value(page, 'chatterfy_deploy_timestamp_seconds{environment="staging",version="3.0"}') == 1_800_000_060
    assert value(page, 'chatterfy_deploys_total{environment="production",status="succeeded"}') == 12
    assert value(page, 'chatterfy_deploys_total{environment="production",status="failed"}') == 1
    assert value(page, 'chatterfy_deploys_total{environment="staging",status="failed"}') == 0


async def test_environments_beyond_the_cap_are_other(deploys):
    async with deploys() as it:
        for number in range(12):
            await told(it, {"version": "1", "environment": f"preview-{number}"})
        page = await it.page()

    assert {environment for environment, _, _ in SERIES.findall(page)} == {
        "other", *[f"preview-{number}" for number in range(10)]
    }  # fmt: skip
    assert value(page, 'chatterfy_deploys_total{environment="other",status="succeeded"}') == 2
    assert value(page, 'chatterfy_series_dropped_total{metric="chatterfy_deploys_total"}') == 2


@pytest.mark.parametrize(
    ("deploy", "line"),
    [
        ([], "expected an object, an array of objects, or one on each line: the body has none"),
        ([{"version": "1"}, {"version": "2"}], "expected one deploy at once"),
        ("1.4", "expected an object"),
        ({}, "version: missing, expected 1 to 100 letters, digits and . _ + @ : ~ -, the first a letter or a digit"),
        ({"version": "a/b"}, "version: expected 1 to 100 letters, "),
        ({"version": '1"}'}, "version: expected 1 to 100 letters, "),
        ({"version": "1\n"}, "version: expected 1 to 100 letters, "),
        ({"version": "1" * 101}, "version: expected 1 to 100 letters, "),
        ({"version": 1}, "version: expected 1 to 100 letters, "),
        ({"version": "1", "environment": "a b"}, "environment: expected 1 to 64 letters, "),
        ({"version": "1", "status": ["failed"]}, "status: expected one of succeeded, failed"),
        ({"version": "1", "reason": "x" * 501}, "reason: expected text of 1 to 500 characters"),
        ({"version": "1", "url": "javascript:x"}, "url: expected an http or https URL of at most 500 characters, "),
        ({"version": "1", "url": "https://u:planted@x/"}, "url: expected an http or https URL "),
        ({"version": "1", "url": 1}, "url: expected an http or https URL "),
        ({"version": "1", "stauts": "failed"}, "unknown key 'stauts' (did you mean 'status'?)"),
    ],
)
async def test_what_is_malformed_is_refused_with_one_line(deploys, neighbours, deploy, line):
    async with deploys("slack") as it:
        status, text = await told(it, deploy)
        page = await it.page()

    assert status == 400
    assert text.startswith(line)
    assert text.count("\n") == 1
    assert "planted" not in text
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="deploys",reason="body"}') == 1
    assert neighbours.slack.asked == 0


async def test_without_the_token_nothing_is_taken(deploys, neighbours):
    async with deploys("slack") as it:
        status, _ = await told(it, {"version": "1"}, token="wrong")
        page = await it.page()

    assert status == 401
    assert neighbours.slack.asked == 0
    assert not SERIES.findall(page)


@pytest.mark.fast
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "missing key 'token'"),
        ({"slack": {"env": "PLANTED"}}, "slack: expected the URL of an incoming webhook, as https://hooks.slack.com/"),
        ({"sentry": {"organization": "a/b", "projects": ["p"], "token": {"env": "TOKEN"}}}, "sentry.organization: "),
        ({"sentry": {"organization": "a", "projects": [], "token": {"env": "TOKEN"}}}, "sentry.projects: "),
        ({"grafana": {"url": "grafana", "token": {"env": "TOKEN"}}}, "grafana.url: expected a URL such as"),
    ],
)
def test_options_that_cannot_work_are_told_without_their_secrets(tmp_path, options, problem):
    sources = Sources({"TOKEN": "planted", "PLANTED": "planted"}, tmp_path)
    data = options | ({"token": {"env": "TOKEN"}} if options else {})

    with pytest.raises(ConfigError) as raised:
        build(DeploysSection, Document(data, "test"), sources)

    assert problem in str(raised.value)
    assert "planted" not in str(raised.value)


@pytest.mark.fast
def test_a_complete_configuration_is_taken(tmp_path):
    secret = {"env": "SECRET"}
    options = {
        "token": secret,
        "slack": secret,
        "grafana": {"url": "https://grafana.example.com", "token": secret},
        "sentry": {"organization": "chatterfy", "projects": ["api", "web"], "token": secret},
    }

    section = build(DeploysSection, Document(options, "test"), Sources({"SECRET": "https://hooks.x/planted"}, tmp_path))

    assert "planted" not in repr(section)
