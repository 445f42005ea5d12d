"""The dashboards' files: what Grafana reads, as the source makes it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.dashboards.files import screens
from tests.support.dashboards.form import form_problems, schema_problems

ROOT = Path(__file__).parents[2]
NAMES = ["alerts", "api", "business", "chat", "dependencies", "exporter", "overview"]

pytestmark = pytest.mark.fast
each_screen = pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Source and JSON in a folder that may be changed."""
    shutil.copytree(ROOT / "grafana/source", tmp_path / "grafana/source", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "grafana/dashboards", tmp_path / "grafana/dashboards")
    (tmp_path / "grafana/__init__.py").touch()
    return tmp_path


def source(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grafana.source", *arguments], cwd=folder, capture_output=True, text=True
    )


def test_there_are_seven():
    assert [screen.name for screen in screens()] == NAMES


@each_screen
def test_a_dashboard_is_valid(screen):
    assert schema_problems(screen) == []


@each_screen
def test_a_dashboard_is_set_up_as_the_others_are(screen):
    assert form_problems(screen) == []


def test_the_files_are_what_the_source_makes():
    done = source(ROOT, "--check")

    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_changed_by_hand_is_told_and_written_anew(copied):
    folder = copied / "grafana/dashboards/chatterfy"
    before = (folder / "api.json").read_text()
    (folder / "api.json").write_text(before.replace("reqps", "rps"))
    (folder / "gone.json").write_text(before)
    (folder / "chat.json").unlink()

    done = source(copied, "--check")

    assert done.returncode == 1
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["api.json", "chat.json", "gone.json"]
    assert source(copied).returncode == 0
    assert source(copied, "--check").returncode == 0
    assert (folder / "api.json").read_text() == before
    assert not (folder / "gone.json").exists()


def test_runbooks_may_be_elsewhere(copied):
    assert source(copied, "--runbooks", "https://status.example.com/runbooks").returncode == 0

    for path in (copied / "grafana/dashboards/chatterfy").iterdir():
        assert "https://status.example.com/runbooks" in path.read_text()
        assert "localhost" not in path.read_text()
