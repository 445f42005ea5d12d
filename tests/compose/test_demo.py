"""The profile `demo` without containers: its command, its secrets, its configuration, and a real PostgreSQL."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from exporter.business.shipped import SHIPPED
from exporter.cli.commands import traffic
from exporter.demo.catalogue import MODELS, PAGES
from tests.support.cli import environment
from tests.support.compose import ROOT, copy, services
from tests.support.postgres import Postgres
from tests.support.running import Running, running, total
from tests.support.servers import closed_port

CONFIG = ROOT / "compose/demo.yml"
DEFAULT = next(option.default for option in traffic.command.params if option.name == "at")
ORIGIN = ("localhost", "3000")
"""Where the toy's pages say that they are from."""


def hosts(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r"//(?:[^@/\s]*@)?([a-z]+):(\d+)", text)) | set(
        re.findall(r"host: ([a-z]+), port: (\d+)", text)
    )


@pytest.mark.fast
def test_it_watches_services_of_the_compose_file_at_the_ports_of_the_stand_ins():
    expected = {("traffic", port) for port in str(DEFAULT).split(",")} | {("grafana", "3000")}

    assert hosts(CONFIG.read_text()) == expected | {ORIGIN}
    assert {host for host, _ in expected} <= set(services())


@pytest.mark.fast
def test_what_is_posted_goes_to_the_listener_and_is_known_there():
    ingest = yaml.safe_load(CONFIG.read_text())["ingest"]
    command = services()["traffic"]["command"]

    assert ingest["listen"] == "0.0.0.0:9878"
    assert "--ingest-url=http://exporter:9878" in command
    assert 9878 in {port["target"] for port in services()["exporter"]["ports"]}
    assert set(ingest["beacon"]["pages"]) == {page.route for page in PAGES}
    assert {(provider, model) for provider, models in ingest["beacon"]["models"].items() for model in models} == {
        (model.provider, model.name) for model in MODELS
    }
    # The file of rows that wait stands beside the configuration, as the state does: in the volume.
    assert "spool" not in ingest


@pytest.mark.fast
@pytest.mark.parametrize("name", ["exporter.yml", "demo.yml"])
def test_a_configuration_agrees_with_what_surrounds_it(name: str):
    configuration = yaml.safe_load((ROOT / "compose" / name).read_text())
    prometheus = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())

    assert configuration["environment"] == prometheus["global"]["external_labels"]["environment"]
    assert configuration["listen"] == "0.0.0.0:9877"
    assert configuration["alerts"]["token"] == {"file": "/run/secrets/alerts_token"}
    # Where it stands is a volume, and so the state beside it is kept.
    (mounted,) = services()["exporter"]["configs"]
    assert mounted["target"] == services()["exporter"]["environment"]["CHATTERFY_CONFIG"]
    assert str(Path(mounted["target"]).parent) in {it["target"] for it in services()["exporter"]["volumes"]}
    assert "state" not in configuration


@pytest.fixture
async def secrets(tmp_path: Path, postgres_cluster: Postgres) -> AsyncIterator[Path]:
    """What `make-secrets.sh demo` writes, with the address and the password of a server that is here."""
    folder = copy(tmp_path / "it")
    subprocess.run([folder / "scripts/make-secrets.sh", "demo"], check=True, capture_output=True)
    await postgres_cluster.execute("CREATE DATABASE chatterfy")
    made = folder / "secrets/demo"
    for path in (made / "postgres_url", *(made / f"exporter/{name}_url" for name in ("database", "daily", "keeper"))):
        path.write_text(path.read_text().replace("@postgres:5432", f"@127.0.0.1:{postgres_cluster.port}"))
    owner = made / "postgres_url"
    owner.write_text(owner.read_text().replace((made / "postgres_password").read_text(), "super"))
    yield made
    await postgres_cluster.execute("DROP DATABASE chatterfy WITH (FORCE)")


def here(argument: str, secrets: Path, ingest: str) -> str:
    """An argument of the service `traffic`, for one machine."""
    argument = argument.replace("0.0.0.0", "127.0.0.1").replace("exporter:9878", f"127.0.0.1:{ingest}")
    # Both services have the one file.
    return argument.replace("/run/secrets/ingest_token", f"{secrets}/exporter/ingest_token").replace(
        "/run/secrets", str(secrets)
    )


@asynccontextmanager
async def played(secrets: Path, ports: list[str], ingest: str) -> AsyncIterator[None]:
    """The service `traffic`, as the Compose file starts it, at these ports of 127.0.0.1."""
    command = [here(argument, secrets, ingest) for argument in services()["traffic"]["command"]]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exporter", *command, f"--ports={','.join(ports)}", env=environment(), cwd=ROOT
    )
    check = [part.replace(":3000", f":{ports[0]}") for part in services()["traffic"]["healthcheck"]["test"][2:]]
    try:
        waited = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "exporter", *check[:-1], "90s"], env=environment(), cwd=ROOT
        )
        assert waited.returncode == 0
        yield
    finally:
        process.terminate()
        assert await process.wait() == 0


def configuration(folder: Path, secrets: Path, ports: list[str], ingest: str) -> Path:
    """The shipped one, for one machine; Grafana is not here."""
    text = CONFIG.read_text().replace("/run/secrets/exporter", str(secrets / "exporter"))
    text = text.replace("/run/secrets", str(secrets)).replace("0.0.0.0:9877", "127.0.0.1:0")
    text = text.replace("0.0.0.0:9878", f"127.0.0.1:{ingest}").replace(":".join(ORIGIN), f"localhost:{ports[0]}")
    text = re.sub(r"^  grafana: .*\n", "", text, flags=re.MULTILINE)
    for old, new in zip(str(DEFAULT).split(","), ports, strict=True):
        text = text.replace(f"traffic:{old}", f"127.0.0.1:{new}").replace(
            f"traffic, port: {old}", f"127.0.0.1, port: {new}"
        )
    assert "traffic:" not in text
    path = folder / "config.yml"
    path.write_text(f"{text}log: {{level: warning}}\n")
    return path


def working(it: Running) -> bool:
    """Every probe and every job has succeeded."""
    return all(state.up for board in (it.app.probes, it.app.tasks) for state in board.values())


SHOWN = (
    "chatterfy_mrr_usd", "chatterfy_messages_total",
    "chatterfy_events_total", "chatterfy_ingest_kept_rows_total", "chatterfy_deploys_total",
    "chatterfy_web_vital_seconds_count", "chatterfy_chat_response_seconds_count", "chatterfy_posthog_events_total",
    "chatterfy_sentry_items_total",
)  # fmt: skip


def shown(page: str) -> bool:
    """The page has what is in the tables, and something has come to every endpoint."""
    return all(total(page, name) > 0 for name in SHOWN)


async def test_every_probe_is_up_every_query_has_succeeded_and_every_endpoint_has_got_something(tmp_path, secrets):
    ports, ingest = [str(closed_port()) for _ in range(4)], str(closed_port())
    path = configuration(tmp_path, secrets, ports, ingest)
    async with played(secrets, ports, ingest), running(path, dict(os.environ)) as it:
        page = await it.until(lambda page: working(it) and shown(page), within=90)
        names = set(it.app.probes), set(it.app.tasks)

    assert names[0] == yaml.safe_load(CONFIG.read_text())["probes"].keys() - {"grafana"}
    assert names[1] >= {*(query.name for query in SHIPPED), "daily"}
    assert (tmp_path / "chatterfy-exporter.sqlite").exists()
    assert (tmp_path / "chatterfy-exporter.spool.sqlite").exists()
    refused = [line for line in page.splitlines() if line.startswith("chatterfy_ingest_rejected_total{")]
    assert [line for line in refused if not line.endswith(" 0.0")] == []
