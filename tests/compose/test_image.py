"""The Dockerfile's own steps, run without an engine: what they install works, and its health check tells the truth."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.compose import ROOT, Stage, sources, stages
from tests.support.servers import closed_port

pytestmark = pytest.mark.timeout(420)

TOKEN = "planted-token"


class Image:
    """The stages' folders, as folders of a test: `/src`, `/wheels`, `/opt/exporter`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL", "PYTHON"))}
        subprocess.run([sys.executable, "-m", "venv", folder / "base"], check=True)
        self.environ["PATH"] = f"{folder}/base/bin:{os.environ['PATH']}"
        (folder / "src").mkdir()

    def build(self, stage: Stage) -> None:
        """Copies what the stage copies, and runs what it runs."""
        for name in sources(stage):
            target = self.folder / "src" / name
            if (ROOT / name).is_dir():
                left_out = shutil.ignore_patterns("__pycache__", "tests", ".*")
                shutil.copytree(ROOT / name, target, symlinks=True, ignore=left_out)
            else:
                shutil.copy(ROOT / name, target)
        for command in stage.all("RUN"):
            here = command.replace("/opt/", f"{self.folder}/opt/").replace("/wheels", f"{self.folder}/wheels")
            ran = subprocess.run(
                ["sh", "-c", here], cwd=self.folder / "src", env=self.environ, capture_output=True, text=True
            )
            assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.installed, cwd=self.folder, capture_output=True, text=True, timeout=60)

    @property
    def installed(self) -> dict[str, str]:
        """The environment of a container."""
        return {"PATH": f"{self.folder}/opt/exporter/bin:{self.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}

    @contextmanager
    def serving(self, config: str, port: int) -> Iterator[None]:
        """The image's command with this configuration, on this port of 127.0.0.1 alone."""
        path = self.folder / "config.yml"
        path.write_text(config)
        command = json.loads(stages()["exporter"].all("CMD")[0])
        assert command == ["serve", "--listen", "0.0.0.0:9877"]
        command[-1] = f"127.0.0.1:{port}"
        process = subprocess.Popen(
            ["chatterfy-exporter", *command], env=self.installed | {"CHATTERFY_CONFIG": str(path)}, cwd=self.folder
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0

    def health(self, port: int, deadline: str) -> int:
        """The exit code of the image's health check."""
        check = json.loads(stages()["runtime"].all("HEALTHCHECK")[0].partition(" CMD ")[2])
        assert check[-2:] == ["--deadline", "3s"]
        return self.run(*[part.replace("9877", str(port)) for part in check[:-1]], deadline).returncode


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    it = Image(tmp_path_factory.mktemp("image"))
    it.build(stages()["build"])
    return it


def test_what_is_installed_is_whole_and_has_no_installer(image):
    checked = image.run("pip", "--python", f"{image.folder}/opt/exporter/bin/python", "check")
    version = image.run("chatterfy-exporter", "--version")

    assert (checked.returncode, checked.stdout) == (0, "No broken requirements found.\n")
    assert version.stdout.startswith("chatterfy-exporter, version ")
    assert not list((image.folder / "opt/exporter/bin").glob("pip*"))


def test_the_configuration_to_begin_with_is_accepted_and_the_container_gets_healthy(image):
    (image.folder / "token").write_text(TOKEN)
    text = (ROOT / "compose/exporter.yml").read_text().replace("/run/secrets/alerts_token", str(image.folder / "token"))
    port = closed_port()

    with image.serving(text, port):
        healthy = image.health(port, "30s")
    ended = image.health(port, "1s")

    assert (healthy, ended) == (0, 1)


def test_a_dead_dependency_does_not_make_the_container_ill(image):
    port = closed_port()
    text = f"probes: {{db: {{kind: tcp, host: 127.0.0.1, port: {closed_port()}, critical: true}}}}"

    with image.serving(text, port):
        healthy = image.health(port, "30s")
        app = image.run("chatterfy-exporter", "health", "--url", f"http://127.0.0.1:{port}/health", "--deadline", "1s")

    assert (healthy, app.returncode) == (0, 1)


def test_the_demo_s_image_can_play_its_saas(image):
    image.build(stages()["build-demo"])

    imported = image.run("python", "-c", "import localstripe.server, moto.server")
    started = image.run("chatterfy-exporter", *json.loads(stages()["demo"].all("CMD")[0]))

    assert imported.returncode == 0, imported.stderr
    assert "DATABASE_URL" in started.stderr
    assert started.returncode == 2
