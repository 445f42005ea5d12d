"""What is wrong with a real Prometheus, each thing really broken."""

from typing import Any

import pytest
import yaml
from aiohttp import web

from tests.support.alertmanager import alertmanager
from tests.support.doctor import doctor, prometheus, prometheus_settings, reload, until_told
from tests.support.rules import FOLDER, rules
from tests.support.servers import closed_port, http_server

NAMES = {rule.alert or rule.record for rule in rules()}


@pytest.fixture
def settings() -> dict[str, Any]:
    """As shipped, without rules and without anything that is scraped or told."""
    return prometheus_settings(0, "x", "y") | {"rule_files": [], "scrape_configs": [], "alerting": {}}


async def test_one_that_nobody_configured_lacks_everything(tmp_path):
    async with prometheus(tmp_path, {}) as url:
        report = await doctor({"prometheus": url})

    missing = ", ".join(sorted(NAMES)[:5])
    assert not report.well
    assert report.of("prometheus", "wrong") == [
        ("knows no Alertmanager: its alerts reach nobody: add the section `alerting` as prometheus/prometheus.yml has "
        "it, and reload"),
        (f"has none of the {len(NAMES)} shipped rules; missing: {missing} and {len(NAMES) - 5} more: mount "
        "prometheus/rules where `rule_files` looks for it, and reload"),
        "keeps 15d, and availability is told of 30 days: start it with --storage.tsdb.retention.time=35d",
        *(
            f"does not scrape {what}: there is no target of the job {job}: add the job as prometheus/prometheus.yml "
            "has it, and reload"
            for job, what in [
                ("chatterfy-exporter", "the exporter"), ("prometheus", "itself"), ("alertmanager", "Alertmanager")
            ]
        ),
    ]  # fmt: skip


async def test_an_exporter_that_cannot_be_scraped_is_told_with_prometheus_own_word(tmp_path, settings):
    port = closed_port()
    targets = {"targets": [f"127.0.0.1:{port}"], "labels": {"environment": "production"}}
    settings["scrape_configs"] = [{"job_name": "chatterfy-exporter", "static_configs": [targets]}]
    async with prometheus(tmp_path, settings) as url:
        report = await until_told({"prometheus": url}, "connection refused")

    assert (
        f"cannot scrape the exporter at http://127.0.0.1:{port}/metrics: Get "
        f'"http://127.0.0.1:{port}/metrics": dial tcp 127.0.0.1:{port}: connect: connection refused: see whether it '
        "runs, and whether Prometheus can reach it by this name"
    ) in report.of("prometheus", "wrong")


async def test_a_target_that_was_never_tried_is_none_that_is_up(tmp_path, settings):
    targets = {"targets": ["127.0.0.1:9"], "labels": {"environment": "production"}}
    job = {"job_name": "alertmanager", "static_configs": [targets], "scrape_interval": "1000h"}
    settings["scrape_configs"] = [job]
    async with prometheus(tmp_path, settings) as url:
        report = await until_told({"prometheus": url}, "cannot scrape Alertmanager at")

    assert "http://127.0.0.1:9/metrics: it has not been tried yet: see whether" in report.text


async def test_targets_without_an_environment_are_told(tmp_path, settings, exporter):
    async with exporter("") as watched:
        targets = {"targets": [watched.url.removeprefix("http://")]}
        settings["scrape_configs"] = [{"job_name": "chatterfy-exporter", "static_configs": [targets]}]
        async with prometheus(tmp_path, settings) as url:
            report = await until_told({"prometheus": url}, "no label environment")

    assert (
        "gives what it scrapes of the exporter no label environment, by which dashboards and alerts choose: give the "
        "targets of the job chatterfy-exporter the label, as prometheus/prometheus.yml does"
    ) in report.of("prometheus", "wrong")


async def test_missing_and_broken_rules_are_named(tmp_path, settings):
    own = {"groups": [{"name": "own", "rules": [{"record": "own", "expr": "up * on () group_left () up"}]}]}
    (tmp_path / "own.yml").write_text(yaml.safe_dump(own))
    shipped = [path for path in sorted((FOLDER / "rules").iterdir()) if path.name != "business.yml"]
    lacking = {rule.alert or rule.record for rule in rules() if rule.group.startswith("business/")}
    both = [{"targets": ["127.0.0.1:9", "127.0.0.1:10"]}]
    settings |= {
        "rule_files": [str(tmp_path / "own.yml"), *map(str, shipped)],
        "scrape_configs": [{"job_name": "any", "static_configs": both}],
    }
    async with prometheus(tmp_path, settings) as url:
        report = await until_told({"prometheus": url}, "cannot evaluate")

    named = ", ".join(sorted(lacking)[:5])
    has, cannot = (line for line in report.of("prometheus", "wrong") if "rule" in line and "scrape" not in line)
    assert has.startswith(f"has {len(NAMES - lacking)} of the {len(NAMES)} shipped rules; missing: {named} and ")
    assert cannot.startswith("cannot evaluate own: own: found duplicate series for the match group {} on the right")
    assert cannot.endswith(": take the rules of the version that the exporter has; /rules shows each error")


async def test_a_refused_configuration_is_told(tmp_path, settings):
    async with prometheus(tmp_path, settings, "--storage.tsdb.retention.size=1GB") as url:
        status = await reload(url, tmp_path, settings | {"colour": "red"})
        report = await doctor({"prometheus": url})

    assert status == 500
    assert (
        "refused its new configuration or rules and goes on with the old ones: `promtool check config` names the "
        "mistake"
    ) in report.of("prometheus", "wrong")
    assert "keeps 1GiB" in report.of("prometheus", "ok")


async def test_alerts_that_no_alertmanager_takes_are_told(tmp_path):
    port, nobody = closed_port(), closed_port()
    settings = prometheus_settings(port, "127.0.0.1:9", f"http://127.0.0.1:{nobody}")
    options = ("--rules.alert.resend-delay=1s",)
    async with prometheus(tmp_path, settings, *options, port=port) as url:
        report = await until_told({"prometheus": url}, "could not hand")

    (lost,) = (line for line in report.of("prometheus", "wrong") if "could not hand" in line)
    assert f" notifications to http://127.0.0.1:{nobody}/api/v2/alerts within 2 minutes: see whether Alertm" in lost


async def test_an_alertmanager_that_is_not_the_one_that_prometheus_tells_has_no_watchdog(tmp_path):
    async def take(_request):
        return web.Response()

    port = closed_port()
    async with (
        http_server(take) as other,
        alertmanager(tmp_path, {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}) as it,
        prometheus(tmp_path, prometheus_settings(port, "127.0.0.1:9", f"http://127.0.0.1:{other}"), port=port) as url,
    ):
        report = await until_told({"prometheus": url, "alertmanager": it.url}, "no Watchdog")

    assert (
        "has no Watchdog, which always fires: ask again in a minute; if it stays away, Prometheus tells another "
        "Alertmanager than this one"
    ) in report.of("alertmanager", "wrong")
