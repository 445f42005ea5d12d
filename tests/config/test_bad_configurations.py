"""Every way to get a configuration wrong, with the exact words that the user reads."""

from pathlib import Path

import pytest

from tests.support.cli import run

pytestmark = pytest.mark.fast
BAD = Path(__file__).parent / "bad"


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yml")), ids=lambda path: path.stem)
def test_every_problem_is_told_at_once_with_line_and_advice(path, monkeypatch):
    monkeypatch.chdir(BAD)

    result = run("config", "check", "--config", path.name, environ={"PLANTED": "hunter2://secret"})

    assert result.stderr == path.with_suffix(".txt").read_text()
    assert result.exit_code == 2
    assert "hunter2" not in result.output


def test_a_file_that_is_not_there_is_told(tmp_path):
    result = run("config", "check", "--config", str(tmp_path / "none.yml"))

    assert result.stderr == f"{tmp_path}/none.yml: cannot be read: No such file or directory\n"
    assert result.exit_code == 2


def test_an_empty_file_is_a_good_configuration(config):
    path = config("")

    result = run("config", "check", "--config", str(path))

    assert result.stdout == f"{path}: good: 0 probes\n"
