import shutil
from pathlib import Path

import pytest

from tests.scripts.conftest import ALWAYS_HEALTHY, Pipeline

PROGRAMS = "awk bash cat curl dirname env git jq mktemp rm sed tee"


def _programs(folder: Path, *without: str) -> str:
    """A PATH with what the scripts need, but for some."""
    path = folder / "programs"
    path.mkdir()
    for name in set(PROGRAMS.split()) - set(without):
        program = shutil.which(name)
        assert program, name
        (path / name).symlink_to(program)
    return str(path)


def _docker(folder: Path, compose: str = "exit 0") -> None:
    """A stand-in for docker, whose Compose writes down what it was asked, and does as told."""
    docker = folder / "programs" / "docker"
    docker.write_text(f'#!/bin/sh\necho "docker $*" >>"{folder}/log"\n[ "$*" = "compose version" ] || {compose}\n')
    docker.chmod(0o755)


async def test_a_complete_environment_with_a_good_configuration_is_ready(pipeline: Pipeline, tmp_path: Path):
    (tmp_path / "config.yml").write_text("probes:\n  db: {kind: tcp, host: localhost, port: 1}\n")

    ended = await pipeline.run("pre-deploy-checks.sh", CONFIG="config.yml")

    assert ended.code == 0
    assert "✅ Ready to deploy" in ended.output


async def test_everything_that_is_missing_is_named_at_once(pipeline: Pipeline, tmp_path: Path):
    ended = await pipeline.run(
        "pre-deploy-checks.sh",
        PATH=_programs(tmp_path, "jq", "curl"),
        APP_URL=None,
        EXPORTER=None,
        DEPLOY=None,
        REQUIRED="DATABASE_URL 1+1",
    )

    assert ended.code == 1
    assert [line for line in ended.output.splitlines() if line.startswith("❌")] == [
        "❌ jq is not installed",
        "❌ curl is not installed",
        "❌ chatterfy-exporter cannot be run: install it, or say in EXPORTER how to call it",
        "❌ docker compose cannot be run: install it, or say in DEPLOY how to deploy",
        "❌ APP_URL is not set: set it to an address such as https://yourdomain.com",
        "❌ DATABASE_URL is not set, and REQUIRED asks for it",
        "❌ REQUIRED names something that is no variable: separate names by spaces",
        "❌ COMPOSE_FILE: there is no file docker-compose.yml",
    ]


async def test_required_names_that_are_set_are_content(pipeline: Pipeline):
    ended = await pipeline.run(
        "pre-deploy-checks.sh", EXPORTER=ALWAYS_HEALTHY, REQUIRED="DATABASE_URL", DATABASE_URL="postgresql://planted"
    )

    assert ended.code == 0
    assert "planted" not in ended.output


async def test_a_bad_configuration_stops_the_deploy_with_its_line(pipeline: Pipeline, tmp_path: Path):
    (tmp_path / "bad config.yml").write_text("probes:\n  db: {kind: tcp, host: localhost, prt: 1}\n")

    ended = await pipeline.run("pre-deploy-checks.sh", CONFIG="bad config.yml")

    assert ended.code == 1
    assert "bad config.yml:2: probes.db" in ended.output
    assert "❌ CONFIG: bad config.yml has problems" in ended.output


async def test_an_invalid_compose_file_stops_the_deploy(pipeline: Pipeline, tmp_path: Path):
    path = _programs(tmp_path)
    _docker(tmp_path, compose="exit 15")
    (tmp_path / "compose file.yml").write_text("services: 1\n")

    ended = await pipeline.run(
        "pre-deploy-checks.sh", PATH=path, EXPORTER=ALWAYS_HEALTHY, COMPOSE_FILE="compose file.yml"
    )

    assert ended.code == 1
    assert "❌ COMPOSE_FILE: compose file.yml is not valid" in ended.output
    assert pipeline.log == ["docker compose version", "docker compose -f compose file.yml config --quiet"]


async def test_compose_deploys_unless_told_otherwise(pipeline: Pipeline, tmp_path: Path):
    path = _programs(tmp_path)
    _docker(tmp_path)
    (tmp_path / "compose file.yml").write_text("services: {}\n")

    ended = await pipeline.run(
        "deploy-production.sh", PATH=path, EXPORTER=ALWAYS_HEALTHY, DEPLOY=None, COMPOSE_FILE="compose file.yml"
    )

    assert ended.code == 0
    assert pipeline.log[-1] == "docker compose -f compose file.yml up -d"


async def test_what_runs_unhealthily_before_the_deploy_is_only_a_warning(pipeline: Pipeline):
    pipeline.web.plan("/api/health", 503)

    ended = await pipeline.run("pre-deploy-checks.sh")

    assert ended.code == 0
    url = f"{pipeline.environ['APP_URL']}/api/health"
    assert f"⚠️  before the deploy: Frontend health check failed: {url}: status 503" in ended.output


@pytest.mark.parametrize(
    ("commands", "warning"),
    [
        ("true", "this is no git repository: set VERSION to say what is deployed"),
        ("git init -q; touch x", "the git tree has changes that are not committed: version abc1234 does not tell"),
    ],
)
async def test_a_version_that_does_not_tell_is_only_a_warning(pipeline: Pipeline, commands: str, warning: str):
    await pipeline.shell(commands)

    ended = await pipeline.run("pre-deploy-checks.sh", EXPORTER=ALWAYS_HEALTHY)

    assert ended.code == 0
    assert f"⚠️  {warning}" in ended.output
