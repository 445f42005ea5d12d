"""Each service of the Compose file: pinned, closed to the world, without rights, with a health check that can pass."""

import re
import tomllib
from ipaddress import ip_address
from typing import Any

import pytest

from tests.support.compose import ROOT, services, stages

pytestmark = pytest.mark.fast

OURS = {"chatterfy-exporter": "exporter", "chatterfy-exporter-demo": "demo"}
IMAGES_HAVE = {
    "prom/prometheus": "wget",  # busybox is the base of the tags without a suffix
    "prom/alertmanager": "wget",  # as Prometheus'
    "grafana/grafana": "wget",  # Alpine, which has busybox
    "victoriametrics/victoria-metrics": "wget",  # Alpine
    "postgres": "pg_isready",
    "chatterfy-exporter-demo": "chatterfy-exporter",
}
"""A program for a health check that is in the image."""

RUNS_AS = {
    "prom/prometheus": "nobody",
    "prom/alertmanager": "nobody",
    "grafana/grafana": "472",
    "chatterfy-exporter": "65532",
    "chatterfy-exporter-demo": "65532",
}
"""Images whose own user is not root."""

ROOT_FOR_A_REASON = {"victoria-metrics": "its image has neither a user nor a folder that belongs to one"}


def image(service: dict[str, Any]) -> tuple[str, str]:
    name, _, tag = service["image"].partition(":")
    return name, tag


@pytest.mark.parametrize("name", sorted(services()))
def test_an_image_is_pinned(name: str):
    repository, tag = image(services()[name])

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert tag == version if repository in OURS else re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-\w+)?", tag)


@pytest.mark.parametrize("name", sorted(services()))
def test_ours_are_built_here_and_never_pulled(name: str):
    service = services()[name]
    target = OURS.get(image(service)[0])

    if target is None:
        assert "build" not in service
    else:
        assert service["build"] | {"args": None} == {
            "context": str(ROOT),
            "dockerfile": "Dockerfile",
            "target": target,
            "args": None,
        }
        assert service["pull_policy"] == "build"
        assert target in stages()


@pytest.mark.parametrize("name", sorted(services()))
def test_ports_are_open_to_this_machine_alone(name: str):
    addresses = [port.get("host_ip", "0.0.0.0") for port in services()[name].get("ports", [])]

    assert all(ip_address(address).is_loopback for address in addresses)
    assert bool(addresses) is (name not in {"postgres", "traffic"})


@pytest.mark.parametrize("name", sorted(services()))
def test_a_service_can_do_no_more_than_it_must(name: str):
    service = services()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert 0 < int(service["mem_limit"]) <= 2**30
    assert 0 < service["cpus"] <= 1
    assert service["pids_limit"] == 256
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert service["stop_grace_period"] == "30s"
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(services()))
def test_a_service_runs_as_another_user_than_root(name: str):
    service = services()[name]
    user = service.get("user", "").partition(":")[0] or RUNS_AS.get(image(service)[0], "root")

    assert (user in {"root", "0"}) is (name in ROOT_FOR_A_REASON)


@pytest.mark.parametrize("name", sorted(services()))
def test_a_service_has_a_health_check_by_a_program_of_its_image(name: str):
    service = services()[name]

    if name == "exporter":  # in its image, for who runs that alone
        assert stages()["runtime"].all("HEALTHCHECK")
        assert "healthcheck" not in service
    else:
        how, program, *arguments = service["healthcheck"]["test"]
        assert (how, program) == ("CMD", IMAGES_HAVE[image(service)[0]])
        assert "127.0.0.1" in " ".join(arguments)


def test_a_health_check_asks_the_port_that_the_service_listens_on():
    asked = {
        name: int(found[1])
        for name, service in services().items()
        if (found := re.search(r"127\.0\.0\.1:(\d+)/", " ".join(service.get("healthcheck", {}).get("test", []))))
    }

    targets = {name: service["ports"][0]["target"] for name, service in services().items() if "ports" in service}
    assert asked.pop("traffic") == 3000
    assert asked == {name: target for name, target in targets.items() if name != "exporter"}


def test_what_is_mounted_from_this_machine_cannot_be_written():
    for service in services().values():
        for volume in service.get("volumes", []):
            assert volume["type"] == "volume" or volume["read_only"]


def test_grafana_says_nothing_to_anyone_and_lets_nobody_in_without_a_password():
    environment = services()["grafana"]["environment"]

    off = {name for name, value in environment.items() if value == "false"}
    assert off == {
        "GF_AUTH_ANONYMOUS_ENABLED", "GF_USERS_ALLOW_SIGN_UP", "GF_ANALYTICS_REPORTING_ENABLED",
        "GF_ANALYTICS_CHECK_FOR_UPDATES", "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "GF_NEWS_NEWS_FEED_ENABLED",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED",
    }  # fmt: skip
    assert environment["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert "GF_SECURITY_ADMIN_PASSWORD" not in environment
