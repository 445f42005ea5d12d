"""The Compose file, resolved by the real Compose: whole in every profile, closed to the world, and without a secret."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.compose import (
    EVERYTHING,
    EXAMPLE,
    FILE,
    PROFILES,
    ROOT,
    binds,
    compose,
    copy,
    resolved,
    services,
)

pytestmark = pytest.mark.fast

ALWAYS = {"exporter", "prometheus", "alertmanager", "grafana"}
PROFILE = {"demo": {"postgres", "traffic"}, "scale": {"victoria-metrics"}}

NEEDED = re.findall(r"\$\{(\w+):\?([^}]*)\}", FILE.read_text())
"""Variables without which nothing starts, and what is said then."""


@pytest.mark.parametrize("profiles", PROFILES)
def test_each_profile_has_its_services_and_all_that_they_name(profiles):
    configuration = resolved(*profiles)

    assert set(configuration["services"]) == ALWAYS.union(*(PROFILE[profile] for profile in profiles))
    volumes = {
        it["source"]
        for one in configuration["services"].values()
        for it in one.get("volumes", [])
        if it["type"] == "volume"
    }
    assert volumes == set(configuration["volumes"])


def test_the_file_has_no_version_and_a_name_of_its_own():
    configuration = yaml.safe_load(FILE.read_text())

    assert "version" not in configuration
    assert configuration["name"] == "chatterfy-monitoring"


@pytest.mark.parametrize(("name", "message"), NEEDED, ids=[name for name, _ in NEEDED])
def test_without_a_secret_nothing_starts_and_the_message_says_what_to_do(tmp_path, name: str, message: str):
    env = tmp_path / ".env"
    env.write_text(re.sub(rf"^{name}=.*\n", "", EXAMPLE.read_text(), flags=re.MULTILINE))

    ran = compose("-f", FILE, f"--env-file={env}", "config")

    assert ran.returncode != 0
    assert f"required variable {name} is missing a value: {message}" in ran.stderr
    assert re.search(r"^(run scripts/make-secrets\.sh|copy this line from \.env\.example)\b", message)


def test_every_secret_is_a_file_that_a_variable_names():
    configuration = yaml.safe_load(FILE.read_text())

    assert all(list(source) == ["file"] for source in configuration["secrets"].values())
    assert all(source["file"].startswith("${") for source in configuration["secrets"].values())
    assert {name for name, _ in NEEDED} == {
        "EXPORTER_SECRETS",
        *(f"{name}_FILE".upper() for name in configuration["secrets"] if name != "grafana_database_password"),
    }


def test_alertmanager_has_each_secret_that_its_configuration_names():
    wanted = set(re.findall(r"/run/secrets/(\w+)", (ROOT / "alertmanager/alertmanager.yml").read_text()))

    assert {it["source"] for it in services()["alertmanager"]["secrets"]} == wanted


def test_no_secret_is_in_the_file_or_in_what_compose_prints(tmp_path):
    folder = copy(tmp_path / "it")
    subprocess.run([folder / "scripts/make-secrets.sh", "demo"], check=True, capture_output=True)
    secrets = {path.read_text() for path in (folder / "secrets/demo").rglob("*") if path.is_file()}

    ran = compose("-f", folder / FILE.name, "--profile=demo", "--profile=scale", "config")

    assert ran.returncode == 0, ran.stderr
    assert len(secrets) == 15
    assert not [secret for secret in secrets if secret in ran.stdout]
    assert f"{folder}/secrets/demo/alerts_token" in ran.stdout


def environments() -> Iterator[tuple[str, str]]:
    for service in services().values():
        yield from service.get("environment", {}).items()


def test_what_is_called_a_secret_in_an_environment_is_a_path():
    secret = {name: value for name, value in environments() if re.search("PASSWORD|TOKEN|SECRET|KEY", name)}

    assert secret == {
        "GF_SECURITY_ADMIN_PASSWORD__FILE": "/run/secrets/grafana_admin_password",
        "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
    }


def test_ports_are_the_ones_that_links_and_docs_name():
    published = {
        name: [f"{port['published']}:{port['target']}" for port in service["ports"]]
        for name, service in services().items()
        if "ports" in service
    }

    assert published == {
        "exporter": ["9877:9877", "9878:9878"],
        "prometheus": ["9090:9090"],
        "alertmanager": ["9093:9093"],
        "grafana": ["3001:3000"],
        "victoria-metrics": ["8428:9090"],
    }
    labels = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())["global"]["external_labels"]
    assert labels["dashboards"] == services()["grafana"]["environment"]["GF_SERVER_ROOT_URL"] == "http://localhost:3001"
    assert labels["runbooks"] == "http://localhost:9877/runbooks"


def test_every_mount_from_this_machine_is_in_the_repository_or_made_by_make_secrets(tmp_path):
    folder = copy(tmp_path / "it")
    yours = {"SLACK_WEBHOOK_URL": "https://hooks.slack.example/it", "SMTP_PASSWORD": "it"}
    for arguments, environ in ((["demo"], {}), ([], yours)):
        subprocess.run(
            [folder / "scripts/make-secrets.sh", *arguments], env={"PATH": "/usr/bin:/bin", **environ},
            check=True, capture_output=True,
        )  # fmt: skip
        (folder / ".env").rename(folder / f"env{len(arguments)}")
    own, demo = resolved(*EVERYTHING, env=folder / "env0"), resolved(*EVERYTHING, env=folder / "env1")

    for source in {*binds(own), *binds(demo)} - {"/dev/null"}:
        place = Path(source).relative_to(ROOT)
        assert (folder / place if place.parts[0] == "secrets" else ROOT / place).exists(), place


def test_a_demo_has_volumes_of_its_own(tmp_path):
    folder = copy(tmp_path / "it")
    subprocess.run([folder / "scripts/make-secrets.sh", "demo"], check=True, capture_output=True)

    demo = resolved(folder=folder, env=folder / ".env")

    assert demo["name"] == "chatterfy-demo"
    assert PROFILE["demo"] <= set(demo["services"])
    assert {volume["name"] for volume in demo["volumes"].values()} & {
        volume["name"] for volume in resolved(*EVERYTHING)["volumes"].values()
    } == set()


def test_nothing_waits_for_what_it_watches():
    waits = {name: service.get("depends_on", {}) for name, service in resolved()["services"].items()}

    assert {name: {it["condition"] for it in on.values()} for name, on in waits.items() if on} == {
        # Not in the demo, its one dependency is not there.
        "exporter": {"service_healthy"},
        "prometheus": {"service_started"},
    }
    assert waits["exporter"]["traffic"]["required"] is False


def test_prometheus_keeps_what_the_longest_window_reads():
    (days,) = re.findall(r"--storage\.tsdb\.retention\.time=(\d+)d", " ".join(services()["prometheus"]["command"]))
    rules = "".join(path.read_text() for path in (ROOT / "prometheus/rules").glob("*.yml"))
    windows = [int(window) for window in re.findall(r"\[(\d+)d(?::[^\]]*)?\]", rules)]

    assert int(days) > max(30, *windows)


@pytest.mark.parametrize(("given", "url", "file"), [
    ({}, "http://prometheus:9090", "prometheus.yml"),
    ({"METRICS_STORE": "victoria-metrics"}, "http://victoria-metrics:9090", "victoria-metrics.yml"),
])  # fmt: skip
def test_one_variable_moves_grafana_and_prometheus_to_the_long_term_store(given, url: str, file: str):
    found = resolved("scale", **given)["services"]

    assert found["grafana"]["environment"]["METRICS_URL"] == url
    assert f"--config.file=/etc/prometheus/{file}" in found["prometheus"]["command"]
    assert (ROOT / "prometheus" / file).exists()
    assert "-httpListenAddr=:9090" in found["victoria-metrics"]["command"]


def test_every_variable_of_the_file_is_in_the_example():
    named = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    explained = set(re.findall(r"^#?(\w+)=", EXAMPLE.read_text(), re.MULTILINE))

    assert named - {"REVISION"} == explained - {"COMPOSE_PROFILES"}
