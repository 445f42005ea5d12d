"""What Grafana and Prometheus are given: paths agree with mounts, and the two Prometheus files with one another."""

import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from tests.support.compose import ROOT, services
from tests.support.programs import program

pytestmark = pytest.mark.fast

DATASOURCES = ROOT / "grafana/datasources"
PROMETHEUS = ROOT / "prometheus"


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def datasources(name: str) -> dict[str, Any]:
    return {source["uid"]: source for source in loaded(DATASOURCES / name)["datasources"]}


def here(path: str) -> Path:
    """What of the repository is at this path in Grafana's container."""
    for volume in services()["grafana"]["volumes"]:
        if volume["type"] == "bind" and PurePosixPath(path).is_relative_to(volume["target"]):
            return Path(volume["source"]) / PurePosixPath(path).relative_to(volume["target"])
    raise AssertionError(f"{path} is not mounted")


def test_datasources_have_fixed_uids_and_cannot_be_edited():
    found = datasources("chatterfy.yml")

    assert {uid: source["type"] for uid, source in found.items()} == {
        "chatterfy-prometheus": "prometheus",
        "chatterfy-alertmanager": "alertmanager",
    }
    assert found["chatterfy-prometheus"]["isDefault"] is True
    assert found["chatterfy-alertmanager"]["jsonData"]["implementation"] == "prometheus"
    assert found["chatterfy-prometheus"]["jsonData"]["alertmanagerUid"] in found
    assert not any(source["editable"] for source in found.values())


def test_the_step_is_the_scrape_interval():
    interval = loaded(PROMETHEUS / "prometheus.yml")["global"]["scrape_interval"]

    assert datasources("chatterfy.yml")["chatterfy-prometheus"]["jsonData"]["timeInterval"] == interval


def test_datasources_lead_to_services_at_the_port_they_listen_on():
    grafana = services()["grafana"]["environment"]
    urls = {
        uid: source["url"].replace("$METRICS_URL", grafana["METRICS_URL"])
        for uid, source in datasources("chatterfy.yml").items()
    }

    for url in urls.values():
        host, _, port = url.removeprefix("http://").partition(":")
        assert services()[host]["ports"][0]["target"] == int(port)


def test_every_variable_of_a_datasource_is_in_grafana_s_environment():
    text = "".join(str(loaded(path)) for path in DATASOURCES.iterdir())

    assert set(re.findall(r"\$(\w+)", text)) - {"__file"} <= set(services()["grafana"]["environment"])


def test_the_postgresql_datasource_is_whole_but_off():
    read_by_grafana = {".yml", ".yaml"}
    (source,) = datasources("postgres.yml.off").values()

    assert Path("postgres.yml.off").suffix not in read_by_grafana
    assert source["uid"] == "chatterfy-postgres"
    assert source["secureJsonData"] == {"password": "$__file{/run/secrets/grafana_database_password}"}
    assert "grafana_database_password" in {it["source"] for it in services()["grafana"]["secrets"]}
    # As it stands it fits the demo.
    assert source["url"] == "postgres:5432"
    assert source["jsonData"]["database"] == services()["postgres"]["environment"]["POSTGRES_DB"]


def test_the_provider_reads_the_folder_that_holds_the_dashboards():
    (provider,) = loaded(ROOT / "grafana/dashboards/chatterfy.yml")["providers"]

    folder = here(provider["options"]["path"])
    assert folder == ROOT / "grafana/dashboards/chatterfy"
    assert list(folder.glob("*.json"))
    assert not [path for path in folder.iterdir() if path.suffix != ".json"]
    assert (provider["folder"], provider["allowUiUpdates"]) == ("Chatterfy", False)


def test_grafana_s_provisioning_folders_hold_what_it_can_read_and_nothing_else():
    found = {
        str(path.relative_to(ROOT / "grafana"))
        for name in ("datasources", "dashboards")
        for path in (ROOT / "grafana" / name).glob("*.*")
    }

    assert found - {"datasources/postgres.yml"} == {
        "datasources/chatterfy.yml",
        "datasources/postgres.yml.off",
        "dashboards/chatterfy.yml",
    }
    assert here("/etc/grafana/provisioning/datasources") == DATASOURCES


def test_the_home_dashboard_is_the_overview():
    home = services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert here(home) == ROOT / "grafana/dashboards/chatterfy/overview.json"
    assert here(home).exists()


def test_the_long_term_file_is_the_other_one_and_remote_write():
    plain, other = loaded(PROMETHEUS / "prometheus.yml"), loaded(PROMETHEUS / "victoria-metrics.yml")

    (target,) = other.pop("remote_write")

    assert other == plain
    assert target["url"] == "http://victoria-metrics:9090/api/v1/write"
    assert target["write_relabel_configs"] == plain["alerting"]["alert_relabel_configs"]


@pytest.mark.parametrize("name", ["prometheus.yml", "victoria-metrics.yml"])
def test_promtool_accepts_what_prometheus_is_started_with(name: str):
    ran = subprocess.run([program("promtool"), "check", "config", PROMETHEUS / name], capture_output=True, text=True)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "rule files found" in ran.stdout


def test_prometheus_scrapes_the_services_of_the_compose_file():
    targets = {
        target
        for job in loaded(PROMETHEUS / "prometheus.yml")["scrape_configs"]
        for config in job["static_configs"]
        for target in config["targets"]
    }

    assert targets == {"exporter:9877", "localhost:9090", "alertmanager:9093"}
    for host, port in (target.split(":") for target in targets):
        service = services()["prometheus" if host == "localhost" else host]
        assert service["ports"][0]["target"] == int(port)
