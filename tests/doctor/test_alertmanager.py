"""What is wrong with a real Alertmanager, each thing really broken."""

import subprocess
import time

import aiohttp
import yaml
from aiohttp import web

from tests.support.alertmanager import alertmanager
from tests.support.doctor import Urls, alertmanager_settings, doctor, prometheus, until
from tests.support.programs import program
from tests.support.servers import http_server
from tests.support.smtp import mailbox


async def test_one_without_a_receiver_that_sends_is_told(tmp_path):
    async with alertmanager(tmp_path, {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}) as it:
        report = await doctor({"alertmanager": it.url})

    assert report.of("alertmanager", "wrong") == [
        (
            "has no receiver that sends anything: alerts reach nobody: take the receivers of "
            "alertmanager/alertmanager.yml, and reload"
        )
    ]


async def test_a_refused_configuration_is_told(tmp_path):
    settings = {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}
    async with alertmanager(tmp_path, settings) as it, aiohttp.ClientSession() as session:
        (tmp_path / "alertmanager.yml").write_text("colour: red")
        async with session.post(f"{it.url}/-/reload") as response:
            assert response.status == 500
        report = await doctor({"alertmanager": it.url})

    assert report.of("alertmanager", "wrong")[0] == (
        "refused its new configuration and goes on with the old one: `amtool check-config` names the mistake"
    )


async def test_secrets_that_cannot_be_read_are_told_by_integration_with_their_files(tmp_path):
    async with mailbox("alerts@example.com", "planted-password") as mail:
        settings = alertmanager_settings("http://127.0.0.1:9", tmp_path)
        settings["global"] |= {"smtp_smarthost": f"127.0.0.1:{mail.port}", "smtp_require_tls": False}
        settings["route"] = {
            "receiver": "critical",
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1s",
        }
        async with alertmanager(tmp_path, settings) as it:
            before = await doctor({"alertmanager": it.url})
            await it.post({"alertname": "Any"})
            report = await until({"alertmanager": it.url}, lambda report: len(report.wrong) == 3)

    assert before.well
    files = {"email": "smtp_password", "slack": "slack_webhook_url", "webhook": "alerts_token"}
    for line, (kind, file) in zip(report.of("alertmanager", "wrong"), files.items(), strict=True):
        assert line.startswith(f"{kind}: ")
        assert " attempts to send failed since it started: it cannot read " in line
        assert line.endswith(f"{tmp_path}/{file}, or what is in there is refused; its log says why")
    assert mail.messages == []


METRICS = """
alertmanager_config_last_reload_successful 1
alertmanager_notification_requests_total{{integration="slack"}} {slack}
alertmanager_notification_requests_failed_total{{integration="slack"}} {slack}
alertmanager_notifications_failed_total{{integration="slack",reason="other"}} {slack}
alertmanager_notification_requests_total{{integration="email"}} 9
alertmanager_notification_requests_failed_total{{integration="email"}} 2
alertmanager_notifications_failed_total{{integration="email",reason="other"}} 0
"""
CONFIG = yaml.safe_dump({"receivers": [{"name": "all", "slack_configs": [{"a": 1}], "email_configs": [{"to": "x"}]}]})


async def test_what_failed_long_ago_is_forgotten_where_prometheus_remembers_it(tmp_path):
    """The page is a stand-in's, whose counters stand still; Prometheus' memory is real, and filled behind its back."""
    ago = time.time() - 900
    samples = [
        f'alertmanager_{what}_total{{instance="x",integration="{kind}"}} {value} {ago + shift:.0f}'
        for what, kind, value in [
            ("notification_requests", "slack", 7), ("notification_requests_failed", "slack", 7),
            ("notifications_failed", "slack", 7), ("notification_requests", "email", 500),
        ]
        for shift in range(-120, 121, 60)
    ]  # fmt: skip
    (tmp_path / "past.txt").write_text("\n".join([*samples, "# EOF\n"]))
    fill = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", tmp_path / "past.txt"]
    subprocess.run([*fill, tmp_path / "prometheus"], check=True, capture_output=True)
    slack = 7

    async def answer(request):
        if request.path == "/api/v2/status":
            return web.json_response({"config": {"original": CONFIG}})
        return web.Response(text=METRICS.format(slack=slack))

    async with prometheus(tmp_path, {}) as url, http_server(answer) as port:
        urls: Urls = {"prometheus": url, "alertmanager": f"http://127.0.0.1:{port}"}
        forgotten = (await doctor(urls)).of("alertmanager")
        slack = 9
        anew = (await doctor(urls)).of("alertmanager")
        alone = (await doctor({"alertmanager": urls["alertmanager"]})).of("alertmanager")

    assert "email: 7 messages delivered within 15 minutes" in forgotten  # it was restarted: 500 came before that
    assert "slack: nothing to send within 15 minutes (`chatterfy-exporter smoke` sends a test)" in forgotten
    assert "slack: 2 of 2 attempts to send failed within 15 minutes: its log says why" in anew
    assert "slack: 9 of 9 attempts to send failed since it started: its log says why" in alone


async def test_a_prometheus_that_is_away_is_no_memory(tmp_path, unused_tcp_port):
    async with alertmanager(tmp_path, alertmanager_settings("http://127.0.0.1:9", tmp_path)) as it:
        report = await doctor({"prometheus": f"http://127.0.0.1:{unused_tcp_port}", "alertmanager": it.url})

    assert len(report.wrong) == 1
    assert "slack: nothing to send since it started (`chatterfy-exporter smoke` sends a test)" in report.text
