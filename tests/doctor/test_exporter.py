"""What is wrong with the real exporter, each thing really broken."""

import pytest

from exporter.alerts.webhook import STALE
from tests.support.doctor import Skewed, doctor
from tests.support.rules import alerts
from tests.support.servers import hang, raw_server

pytestmark = pytest.mark.fast
ALERTS = "alerts: {token: {env: TOKEN}}"


async def test_all_is_well_with_one_that_takes_alerts(exporter):
    async with exporter(ALERTS, TOKEN="x") as it:
        report = await doctor({"exporter": it.url})

    assert report.well
    assert report.text.endswith("\n5 ok, 0 wrong, 18 not looked at")


async def test_probes_without_a_result_are_named(exporter):
    async with raw_server(hang) as port:
        slow = f"{{kind: http, url: 'http://127.0.0.1:{port}/', timeout: 50s, interval: 60s}}"
        async with exporter(f"{ALERTS}\nprobes: {{web: {slow}, api: {slow}}}", TOKEN="x") as it:
            report = await doctor({"exporter": it.url})

    assert report.of("exporter", "wrong") == [
        "has no result of api, web yet: ask again after a probe's interval; then look at its log"
    ]


async def test_a_refused_configuration_is_told(exporter, config):
    async with exporter(ALERTS, TOKEN="x") as it:
        config("colour: red")
        await it.post("/-/reload")
        await it.until("chatterfy_config_last_reload_successful 0.0")
        report = await doctor({"exporter": it.url})

    assert report.of("exporter", "wrong") == [
        (
            "refused its new configuration and goes on with the old one: `chatterfy-exporter config check` names file, "
            "line and remedy"
        )
    ]


async def test_one_that_takes_no_alerts_is_told(exporter):
    async with exporter("") as it:
        report = await doctor({"exporter": it.url})

    assert report.of("exporter", "wrong") == [
        (
            "takes no alerts: Sentry hears of none, and nothing shows that they find their way: add the section "
            "`alerts` with a `token` to its configuration"
        )
    ]


async def test_alerts_that_stay_away_are_told(exporter):
    async with exporter(ALERTS, TOKEN="x") as it:
        report = await doctor({"exporter": it.url}, clock=Skewed(STALE + 60))

    assert (
        "has seen no Watchdog for 11 minutes, and one is due every minute: see what is wrong with Prometheus and "
        "Alertmanager below, and whether both sides have the same token"
    ) in report.of("exporter", "wrong")


def test_what_is_too_long_is_too_long_for_the_alert_too():
    (rule,) = (rule for rule in alerts() if rule.alert == "AlertPipelineStale")

    assert rule.expr.endswith(f"> {STALE:.0f}")
