"""The shipped configuration of Prometheus and Alertmanager, for one machine: copies that differ in addresses alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from exporter.demo.configuration import ENVIRONMENT


@dataclass(frozen=True)
class Addresses:
    """Where everything listens: `host:port`, and URLs for what a link leads to."""

    exporter: str
    prometheus: str
    alertmanager: str
    mail: str
    dashboards: str


@dataclass(frozen=True)
class Secrets:
    """What the shipped files take from files of their own."""

    slack_webhook_url: str
    smtp_password: str
    alerts_token: str


def write(folder: Path, addresses: Addresses, secrets: Secrets) -> None:
    """Writes `prometheus/`, `alertmanager/` and `secrets/` into the folder."""
    place = folder / "secrets"
    place.mkdir()
    for name, secret in vars(secrets).items():
        file = place / name
        file.touch(0o600)
        file.write_text(secret, encoding="utf-8")  # no newline at the end: Alertmanager 0.25 would take it for a part
    replacements = {
        "&environment production": f"&environment {ENVIRONMENT}",
        "http://localhost:3001": addresses.dashboards,
        "localhost:9877": addresses.exporter,
        "exporter:9877": addresses.exporter,
        "localhost:9090": addresses.prometheus,
        "alertmanager:9093": addresses.alertmanager,
        "smtp.example.com:587": addresses.mail,
        "/run/secrets/": f"{place}/",
    }
    # These two are links to the repository's folders; a wheel has the files themselves.
    shipped = files(__package__)
    for what in (
        "prometheus/prometheus.yml",
        "prometheus/rules",
        "alertmanager/alertmanager.yml",
        "alertmanager/templates",
    ):
        _copy(shipped / what, folder / what, replacements)


def _copy(source: Traversable, target: Path, replacements: Mapping[str, str]) -> None:
    if source.is_dir():
        for entry in source.iterdir():
            _copy(entry, target / entry.name, replacements)
        return
    text = source.read_text(encoding="utf-8")
    for old, new in replacements.items():
        text = text.replace(old, new)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
