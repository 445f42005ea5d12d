"""The copies of the shipped configuration: the same but for addresses, ports, secret paths and the environment."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.demo.bundle import Addresses, Secrets, write
from tests.support.programs import program

pytestmark = pytest.mark.fast

SHIPPED = Path(__file__).parents[2]
ADDRESSES = Addresses("127.0.0.1:1001", "127.0.0.1:1002", "127.0.0.1:1003", "localhost:1004", "http://127.0.0.1:1005")
SECRETS = Secrets("http://127.0.0.1:1005/services/secret", "password", "token")


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    write(tmp_path, ADDRESSES, SECRETS)
    return tmp_path


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict | list):
        for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(branch, f"{path}/{key}")
    else:
        yield path, tree


def different(copies: Path, name: str) -> dict[str, Any]:
    """What the copy has in the places where it differs; fails where it has more or fewer places."""
    shipped = dict(leaves(yaml.safe_load((SHIPPED / name).read_text())))
    copied = dict(leaves(yaml.safe_load((copies / name).read_text())))
    assert list(copied) == list(shipped)
    return {path: copied[path] for path in copied if copied[path] != shipped[path]}


def test_prometheus_differs_in_addresses_and_the_environment_alone(copies):
    assert different(copies, "prometheus/prometheus.yml") == {
        "/global/external_labels/environment": "demo",
        "/global/external_labels/dashboards": "http://127.0.0.1:1005",
        "/global/external_labels/runbooks": "http://127.0.0.1:1001/runbooks",
        "/alerting/alertmanagers/0/static_configs/0/targets/0": "127.0.0.1:1003",
        "/scrape_configs/0/static_configs/0/targets/0": "127.0.0.1:1001",
        "/scrape_configs/0/static_configs/0/labels/environment": "demo",
        "/scrape_configs/1/static_configs/0/targets/0": "127.0.0.1:1002",
        "/scrape_configs/1/static_configs/0/labels/environment": "demo",
        "/scrape_configs/2/static_configs/0/targets/0": "127.0.0.1:1003",
        "/scrape_configs/2/static_configs/0/labels/environment": "demo",
    }


def test_alertmanager_differs_in_addresses_and_secret_paths_alone(copies):
    found = different(copies, "alertmanager/alertmanager.yml")

    assert {path: value for path, value in found.items() if path.startswith("/global")} == {
        "/global/smtp_smarthost": "localhost:1004",
        "/global/smtp_auth_password_file": f"{copies}/secrets/smtp_password",
        "/global/slack_api_url_file": f"{copies}/secrets/slack_webhook_url",
    }
    assert {value for path, value in found.items() if path.startswith("/receivers")} == {
        "http://127.0.0.1:1001/v1/alerts",
        f"{copies}/secrets/alerts_token",
    }
    assert not [path for path in found if not path.startswith(("/global", "/receivers"))]


def files(folder: Path, *patterns: str) -> dict[str, str]:
    found = [path for pattern in patterns for path in folder.glob(pattern)]
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_rules_and_templates_are_the_shipped_ones(copies):
    what = ("prometheus/rules/*", "alertmanager/templates/*")

    assert files(copies, *what) == files(SHIPPED, *what) != {}


def test_nothing_else_is_copied(copies):
    assert {path.name for path in (copies / "prometheus").iterdir()} == {"prometheus.yml", "rules"}
    assert {path.name for path in (copies / "alertmanager").iterdir()} == {"alertmanager.yml", "templates"}


def test_secrets_are_for_their_owner_alone_and_end_in_no_newline(copies):
    found = {path.name: (path.stat().st_mode & 0o777, path.read_text()) for path in (copies / "secrets").iterdir()}

    assert found == {
        "slack_webhook_url": (0o600, "http://127.0.0.1:1005/services/secret"),
        "smtp_password": (0o600, "password"),
        "alerts_token": (0o600, "token"),
    }


def test_both_programs_accept_the_copies(copies):
    for command in (
        [program("promtool"), "check", "config", copies / "prometheus/prometheus.yml"],
        [program("amtool"), "check-config", copies / "alertmanager/alertmanager.yml"],
    ):
        ran = subprocess.run(command, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
