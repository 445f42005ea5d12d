"""What is wrong with Grafana: a stand-in that answers as documented, over a real Prometheus where that matters."""

import json
from pathlib import Path

import pytest

from exporter.doctor.checks.grafana_dashboards import DASHBOARDS
from tests.support.doctor import (
    PASSWORD,
    TOKEN,
    Urls,
    datasource,
    doctor,
    grafana,
    prometheus,
    prometheus_settings,
    until_told,
)
from tests.support.rules import FOLDER
from tests.support.servers import closed_port

ADMIN = f"admin:{PASSWORD}"
NOBODY = "http://127.0.0.1:9"
fast = pytest.mark.fast


@fast
async def test_without_a_login_the_rest_is_not_looked_at():
    async with grafana(NOBODY) as it:
        report = await doctor({"grafana": it.url})

    assert report.well
    assert report.of("grafana", "skip") == [
        "dashboards and datasources: give --grafana-password-file or --grafana-token-file to look at them"
    ]


@fast
async def test_the_password_of_an_older_volume_is_told_and_shown_once_only():
    async with grafana(NOBODY) as it:
        report = await doctor({"grafana": it.url}, "admin:the new one")

    (line,) = report.of("grafana", "wrong")
    assert line == (
        "refuses the password: Grafana takes its admin password only at the first start of its volume, so an older one "
        "may hold: `docker compose -f docker-compose.monitoring.yml exec -T grafana grafana cli --homepath "
        "/usr/share/grafana admin reset-admin-password --password-from-stdin < secrets/grafana_admin_password` "
        "(after five wrong tries it refuses every one for five minutes)"
    )
    assert it.refused == 1


@fast
@pytest.mark.parametrize(
    ("login", "role", "told"),
    [
        ("another", "Admin", "refuses the token: make another: Administration, Users and access, Service accounts"),
        (
            TOKEN,
            "Viewer",
            "may not list datasources with this login: give the user or the service account the role Admin",
        ),
    ],
)
async def test_a_token_that_is_refused_and_one_that_may_not_are_told_apart(login, role, told):
    async with grafana(NOBODY) as it:
        it.role = role
        report = await doctor({"grafana": it.url}, login)

    assert report.of("grafana", "wrong") == [told]


@fast
async def test_a_datasource_with_another_uid_is_told_with_the_uid_that_it_has():
    async with grafana(NOBODY) as it:
        it.datasources[0] |= {"uid": "PBFA97CFB590B2093", "name": "Prometheus"}
        report = await doctor({"grafana": it.url}, ADMIN)

    assert report.of("grafana", "wrong") == [
        (
            'has no datasource with the uid chatterfy-prometheus; of the type prometheus it has "Prometheus" '
            "(PBFA97CFB590B2093): provision grafana/datasources; a uid once given stays: delete the datasource with "
            "the other, and restart"
        )
    ]


@fast
async def test_datasources_that_are_missing_or_of_another_type_are_told():
    async with grafana(NOBODY) as it:
        it.datasources[:] = [datasource("chatterfy-alertmanager", "loki", NOBODY)]
        report = await doctor({"grafana": it.url}, TOKEN)

    missing, other = report.of("grafana", "wrong")
    assert missing.startswith("has no datasource with the uid chatterfy-prometheus: provision grafana/datasources")
    assert other.startswith("datasource chatterfy-alertmanager is of the type loki, not alertmanager: delete it")


@fast
async def test_a_second_prometheus_is_said_and_a_url_s_secrets_are_not():
    async with grafana("http://user:planted@secret@127.0.0.1:9/x?token=planted") as it:
        it.datasources.append(datasource("other", "prometheus", NOBODY, name="Old"))
        report = await doctor({"grafana": it.url}, ADMIN)

    assert (
        'datasource chatterfy-prometheus leads to http://***@127.0.0.1:9/x?*** (no dashboard uses "Old" (other))'
    ) in report.of("grafana", "ok")
    assert "planted" not in report.text


@fast
async def test_missing_dashboards_are_named():
    async with grafana(NOBODY) as it:
        it.dashboards -= {"chatterfy-api", "chatterfy-chat"}
        report = await doctor({"grafana": it.url}, ADMIN)

    assert (
        "lacks 2 of 7 dashboards: chatterfy-api, chatterfy-chat: mount grafana/dashboards as its "
        "provisioning/dashboards; its log says what it thinks of a file"
    ) in report.of("grafana", "wrong")


@fast
async def test_a_prometheus_that_grafana_cannot_reach_is_told_with_grafana_s_word():
    async with grafana(NOBODY) as it:
        report = await doctor({"grafana": it.url}, ADMIN)

    (line,) = report.of("grafana", "wrong")
    assert line.startswith(
        "cannot reach Prometheus by the datasource chatterfy-prometheus: There was an error: Cannot connect to host"
    )
    assert line.endswith(": correct its url in grafana/datasources: a name that Grafana's container knows")


@pytest.mark.parametrize("has_health", [True, False])
async def test_a_datasource_that_leads_to_another_prometheus_is_told(tmp_path, has_health):
    async with prometheus(tmp_path, {}) as other, grafana(other) as it:
        it.has_health = has_health
        report = await doctor({"grafana": it.url}, ADMIN)

    assert report.of("grafana", "wrong") == [
        (
            "finds no chatterfy_build_info by the datasource chatterfy-prometheus: see whether Prometheus scrapes the "
            "exporter, and whether the datasource's url leads to that Prometheus"
        )
    ]


async def test_another_interval_than_prometheus_is_told_and_silence_means_15_s(tmp_path):
    port = closed_port()
    settings = prometheus_settings(port, "127.0.0.1:9", NOBODY) | {"rule_files": []}
    async with prometheus(tmp_path, settings, port=port) as url, grafana(url, interval="30s") as it:
        urls: Urls = {"prometheus": url, "grafana": it.url}
        report = await until_told(urls, "has timeInterval", ADMIN)
        it.datasources[0]["jsonData"] = {}
        silent = await doctor(urls, ADMIN)
        it.datasources[0]["jsonData"] = {"timeInterval": "1000ms"}
        same = await doctor(urls, ADMIN)

    assert (
        "datasource chatterfy-prometheus has timeInterval 30s, Prometheus scrapes every 1s: set timeInterval to 1s in "
        "grafana/datasources, and restart Grafana"
    ) in report.of("grafana", "wrong")
    assert "datasource chatterfy-prometheus has timeInterval 15s, Prometheus scrapes every 1s: " in silent.text
    assert "datasource chatterfy-prometheus has timeInterval 1000ms, as Prometheus scrapes" in same.of("grafana", "ok")


@fast
def test_the_dashboards_are_those_that_are_shipped():
    shipped = (FOLDER.parent / "grafana/dashboards/chatterfy").glob("*.json")

    assert {json.loads(Path(path).read_text())["uid"] for path in shipped} <= DASHBOARDS
