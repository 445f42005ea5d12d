"""The Dockerfile: pinned, hashed, without root, and given nothing that it does not copy."""

import json
import re
import tomllib

import pytest

from tests.support.compose import ROOT, sources, stages

pytestmark = pytest.mark.fast

LOCKS = sorted((ROOT / "requirements").iterdir())
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return dict(PIN.findall(text))


def hashes(text: str) -> dict[str, set[str]]:
    """The hashes of each requirement."""
    parts = PIN.split(text)
    return {
        name: set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", rest))
        for name, rest in zip(parts[1::3], parts[3::3], strict=True)
    }


def test_the_default_target_is_the_exporter():
    assert list(stages())[-1] == "exporter"


def test_every_image_that_it_begins_with_is_pinned_and_the_same():
    bases = {stage.base for stage in stages().values()} - set(stages())

    (base,) = bases
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base)


@pytest.mark.parametrize("name", ["exporter", "demo"])
def test_an_image_runs_as_a_number_that_is_not_root_s_and_has_a_health_check(name: str):
    stage, runtime = stages()[name], stages()["runtime"]

    assert stage.base == "runtime"
    assert runtime.all("USER") == ["65532:65532"]
    assert stage.all("USER") == []
    (check,) = runtime.all("HEALTHCHECK")
    assert json.loads(check.partition(" CMD ")[2])[:2] == ["chatterfy-exporter", "health"]
    assert runtime.all("ENTRYPOINT") == ['["chatterfy-exporter"]']


@pytest.mark.parametrize("name", ["exporter", "demo"])
def test_an_image_holds_the_installed_package_and_no_builder(name: str):
    build = {"exporter": "build", "demo": "build-demo"}[name]

    assert stages()[name].all("COPY") == [f"--from={build} /opt/exporter /opt/exporter"]
    assert stages()[name].all("RUN") == []
    assert not any("pip" in step for step in stages()["runtime"].all("RUN"))


def test_what_it_copies_exists_and_is_all_that_a_builder_is_sent():
    copied = {source for stage in stages().values() for source in sources(stage)}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]

    assert all((ROOT / source).exists() for source in copied)
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied


def test_links_of_the_package_lead_to_what_is_copied_too():
    copied = [ROOT / source for source in sources(stages()["build"])]
    links = [path for path in (ROOT / "exporter").rglob("*") if path.is_symlink()]

    assert len(links) == 3
    assert all(link.resolve() in copied for link in links)


def test_pip_installs_only_what_has_a_hash_or_was_built_from_it():
    commands = [step for stage in stages().values() for step in stage.all("RUN") if step.startswith("pip ")]

    assert len(commands) == 6
    for command in commands:
        assert "--require-hashes" in command or "--no-index" in command or command.endswith("--no-deps -w /wheels .")
        assert "--no-build-isolation" in command or " install " in command


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_has_the_versions_and_hashes_of_the_one_that_is_tested(lock):
    tested = (ROOT / "requirements.lock").read_text()
    text = lock.read_text()

    assert all(hashes(text).values())
    # Builds what comes as source, which the tests leave to pip.
    own = {"setuptools"} if lock.name == "build.lock" else set()
    assert pins(text).keys() - own <= pins(tested).keys()
    for name in pins(text).keys() - own:
        assert (pins(text)[name], hashes(text)[name]) == (pins(tested)[name], hashes(tested)[name])


def test_the_version_is_the_package_s():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert f'org.opencontainers.image.version="{version}"' in stages()["runtime"].all("LABEL")[0]
