"""A stack in which all is well: real Prometheus and Alertmanager with the shipped files, and the real exporter."""

import asyncio
import re

from tests.support.cli import run_process
from tests.support.doctor import PASSWORD, TOKEN, grafana, servers, until
from tests.support.rules import rules

ALL_WELL = f"""\
ok    exporter: answers at URL
ok    exporter: its clock agrees with this machine's
ok    exporter: accepted its configuration
ok    exporter: was reached by the Watchdog, or started, within 10 minutes
ok    exporter: has a result of every probe
ok    prometheus: answers at URL
ok    prometheus: hands its alerts to URL/api/v2/alerts
ok    prometheus: has all {len({rule.alert or rule.record for rule in rules()})} shipped rules
ok    prometheus: its clock agrees with this machine's
ok    prometheus: its time() agrees with this machine's
ok    prometheus: accepted its configuration
ok    prometheus: keeps 5w
ok    prometheus: scrapes the exporter every 1s
ok    prometheus: scrapes itself every 1s
ok    prometheus: scrapes Alertmanager every 1s
ok    alertmanager: answers at URL
ok    alertmanager: accepted its configuration
ok    alertmanager: sends to critical, warning, heartbeat
ok    alertmanager: email: nothing to send since it started (`chatterfy-exporter smoke` sends a test)
ok    alertmanager: slack: nothing to send since it started (`chatterfy-exporter smoke` sends a test)
ok    alertmanager: webhook: 1 messages delivered since it started
ok    alertmanager: has the Watchdog from Prometheus
ok    alertmanager: its clock agrees with this machine's
ok    grafana: answers at URL
ok    grafana: its clock agrees with this machine's
ok    grafana: lets us in
ok    grafana: has all 7 dashboards
ok    grafana: datasource chatterfy-prometheus leads to URL
ok    grafana: datasource chatterfy-alertmanager leads to URL
ok    grafana: datasource chatterfy-prometheus has timeInterval 1s, as Prometheus scrapes
ok    grafana: finds the exporter's series by the datasource chatterfy-prometheus
31 ok, 0 wrong
"""


async def test_nothing_is_wrong_with_the_shipped_files(tmp_path, exporter):
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    async with (
        exporter("alerts: {token: {env: TOKEN}}", TOKEN=TOKEN) as watched,
        servers(tmp_path, watched) as it,
        grafana(it.prometheus, it.alertmanager) as front,
    ):
        await until(it.urls | {"grafana": front.url}, lambda report: report.well, f"admin:{PASSWORD}")
        await watched.until('chatterfy_alerts_received_total{severity="none",status="firing"} 1.0')

        addresses = [f"--{name}={url}" for name, url in (it.urls | {"grafana": front.url}).items()]
        visit = await asyncio.to_thread(
            run_process, "doctor", *addresses, "--grafana-password-file", str(tmp_path / "password")
        )

    assert re.sub(r"http://127.0.0.1:\d+", "URL", visit.stdout) == ALL_WELL
    assert (visit.returncode, visit.stderr) == (0, "")
