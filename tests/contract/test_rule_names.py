"""Rules speak of series that are there, use them as what they are, and keep the labels that their messages name."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.alertmanager import alertmanager
from tests.support.programs import program
from tests.support.promql import Reading
from tests.support.rules import FOLDER, Rule, alerts, rules
from tests.support.series import MADE, TARGET, THEIRS, known
from tests.support.servers import closed_port


@pytest.mark.fast
@pytest.mark.parametrize("rule", rules(), ids=lambda rule: f"{rule.group}-{rule.place}-{rule.alert or rule.record}")
def test_a_rule_takes_series_that_are_there_as_what_they_are(rule: Rule):
    reading = Reading(rule.expr, known())

    assert reading.problems == []
    assert reading.result.kind != "counter" or rule.record.endswith(":sum")


@pytest.mark.fast
@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule.alert)
def test_an_alert_s_messages_name_labels_that_are_left(rule: Rule):
    result = Reading(rule.expr, known()).result

    for text in rule.annotations.values():
        guarded = set(re.findall(r"{{-? *(?:with|if) \$labels\.(\w+)", text))
        used = set(re.findall(r"\$labels\.(\w+)", text))
        assert used - guarded <= result.labels, text
        assert guarded <= result.possible, text
        for query in re.findall(r'"([^"]+)"(?=[^{}]*\| query)', text):
            assert Reading(query.replace("%q", '"x"'), known()).problems == []


@pytest.mark.fast
def test_every_job_gives_its_series_the_environment():
    configuration = yaml.safe_load((FOLDER / "prometheus.yml").read_text())

    for job in configuration["scrape_configs"]:
        assert all("environment" in targets["labels"] for targets in job["static_configs"]), job["job_name"]
    texts = "".join(text for rule in alerts() for text in rule.annotations.values())
    assert set(re.findall(r"\$externalLabels\.(\w+)", texts)) <= {*configuration["global"]["external_labels"]}


@pytest.mark.fast
@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("chatterfy_probe_sucess == 0", "no series is named chatterfy_probe_sucess"),
        ('chatterfy_probe_success{name="db"}', "there is no label name"),
        ('chatterfy_http_request_duration_seconds_bucket{le="2"}', "has no le='2'"),
        ('chatterfy_job_last_success_timestamp_seconds{task="signup"}', "has no task='signup'"),
        ("rate(chatterfy_probe_success[5m])", "rate() of a gauge"),
        ("delta(chatterfy_messages_total[5m])", "delta() of a counter"),
        ("max by (environment) (chatterfy_messages_total) > 5", "a counter as it is"),
        ("chatterfy_messages_total - min_over_time(chatterfy_messages_total[5m]) > 5", "a counter as it is"),
        (
            "histogram_quantile(0.9, sum(rate(chatterfy_probe_duration_seconds_bucket[5m])))",
            "histogram_quantile() of what has no le",
        ),
        (
            "histogram_quantile(0.9, sum by (probe) (rate(chatterfy_probe_duration_seconds_sum[5m])))",
            "histogram_quantile() of what has no le",
        ),
        ("sum by (environment, region) (chatterfy_orgs)", "there is no label region"),
        ("chatterfy_probe_success == 0 and chatterfy_users > 1", "they never match"),
        (
            "chatterfy_probe_success * on (plan) group_left () chatterfy_orgs",
            "on the left of *: there is no label plan",
        ),
        ("chatterfy_users unless on (window) chatterfy_active_orgs", "on the left of unless: there is no label window"),
    ],
)
def test_a_mistake_is_seen(expression, problem):
    assert problem in "; ".join(Reading(expression, known()).problems)


@pytest.mark.fast
@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("max by (environment, probe) (chatterfy_probe_success)", "environment probe"),
        ("max without (instance, job, kind) (chatterfy_probe_success)", "environment probe"),
        ("sum(chatterfy_orgs)", ""),
        ("topk(3, max by (plan) (chatterfy_orgs))", "plan"),
        ("chatterfy_users / on (environment) chatterfy_users", "environment"),
        ("chatterfy_users / ignoring (job, instance) chatterfy_users", "environment"),
        (
            "sum by (plan) (chatterfy_orgs) / on () group_left (query) max by (query) (chatterfy_query_enabled)",
            "plan query",
        ),
        ("max by (query) (chatterfy_query_enabled) / on () group_right () sum by (plan) (chatterfy_orgs)", "plan"),
        ("chatterfy_users unless on (environment) chatterfy_active_orgs", "environment instance job"),
        ("sum by (plan) (chatterfy_orgs) or sum by (plan, status) (chatterfy_subscriptions)", "plan"),
        ('absent(up{job="prometheus", instance=~".+"})', "job"),
        ("time() - max by (task) (chatterfy_job_last_success_timestamp_seconds) > 60", "task"),
        ('label_replace(sum by (plan) (chatterfy_orgs), "tier", "$1", "plan", "(.*)")', "plan tier"),
        ('count_values by (plan) ("size", chatterfy_orgs)', "plan size"),
        ("max_over_time((max by (plan) (chatterfy_orgs) > 1)[1h:1m])", "plan"),
        ("vector(1)", ""),
    ],
)
def test_labels_that_are_left_are_known(expression, labels):
    reading = Reading(expression, known())

    assert reading.problems == []
    assert reading.result.labels == set(labels.split())


async def test_prometheus_and_alertmanager_show_what_is_said_of_them(tmp_path):
    async with (
        alertmanager(tmp_path, {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}) as notified,
        _prometheus(tmp_path, notified.url) as url,
        aiohttp.ClientSession() as session,
    ):
        pages = [f"{url}/metrics", f"{notified.url}/metrics"]
        async with asyncio.timeout(60):
            while not set(THEIRS) <= set(shown := await _shown(session, pages)):
                await asyncio.sleep(0.2)
            while not all([await _labels(session, url, name) for name in MADE]):
                await asyncio.sleep(0.2)
        made = {name: await _labels(session, url, name) for name in MADE}

    for name, (kind, labels) in THEIRS.items():
        assert shown[name] == (kind, {*labels}), name
    for name, labels in MADE.items():
        assert {*labels} <= made[name] <= {*labels, *TARGET}, name


@asynccontextmanager
async def _prometheus(folder: Path, notified: str) -> AsyncIterator[str]:
    """One that has a rule which fires, and somebody to tell."""
    port = closed_port()
    rule = {"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "none"}}
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "it", "rules": [rule]}]}))
    own = {"targets": [f"127.0.0.1:{port}"], "labels": {"environment": "it"}}
    told = {"static_configs": [{"targets": [notified.removeprefix("http://")]}]}
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "prometheus", "static_configs": [own]}],
        "alerting": {"alertmanagers": [told]},
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    process = await asyncio.create_subprocess_exec(
        program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _shown(session: aiohttp.ClientSession, pages: list[str]) -> dict[str, tuple[str, set[str]]]:
    """Kind and labels by series name, as the pages have them; new Alertmanagers also say the reason of a failure."""
    found = {}
    for page in pages:
        try:
            async with session.get(page) as response:
                text = await response.text()
        except aiohttp.ClientError:
            continue  # it is still starting
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name] = family.type, {*sample.labels} - {"reason", "receiver_name"}
    return found


async def _labels(session: aiohttp.ClientSession, url: str, name: str) -> set[str]:
    async with session.get(f"{url}/api/v1/query", params={"query": name}) as response:
        result = (await response.json())["data"]["result"]
    return {label for series in result for label in series["metric"]} - {"__name__"}
