"""make-secrets.sh: what it writes and for whom, what it asks for, and that it overwrites nothing."""

import os
import pty
import subprocess
import termios
from pathlib import Path

import pytest

from exporter.demo.traffic_command import DSN
from tests.support.compose import EXAMPLE, ROOT, copy
from tests.support.programs import program

pytestmark = pytest.mark.fast

YOURS = {"SLACK_WEBHOOK_URL": "https://hooks.slack.example/services/it", "SMTP_PASSWORD": "pass word"}
OWN = {"grafana_admin_password", "alerts_token", "slack_webhook_url", "smtp_password"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy(tmp_path / "it")


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs it with no terminal."""
    return subprocess.run(
        [folder / "scripts/make-secrets.sh", *arguments], env={"PATH": os.environ["PATH"], **environ},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
    )  # fmt: skip


def written(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_it_makes_up_what_is_the_stack_s_and_takes_what_is_yours(folder):
    ran = run(folder, **YOURS)

    secrets = written(folder / "secrets")
    assert ran.returncode == 0, ran.stderr
    assert secrets.keys() - {".gitignore"} == OWN
    assert secrets["slack_webhook_url"] == YOURS["SLACK_WEBHOOK_URL"]
    assert secrets["smtp_password"] == YOURS["SMTP_PASSWORD"]
    assert len(secrets["grafana_admin_password"]) == len(secrets["alerts_token"]) == 48
    assert secrets["grafana_admin_password"] != secrets["alerts_token"]
    assert (folder / ".env").read_text() == EXAMPLE.read_text()


def test_it_prints_no_secret(folder):
    ran = run(folder, "demo")
    ran_again = run(folder, "demo")

    printed = ran.stdout + ran.stderr + ran_again.stdout + ran_again.stderr
    assert not [secret for secret in written(folder / "secrets/demo").values() if secret in printed]


def test_without_what_is_yours_it_says_what_is_missing_and_goes_on_from_there(folder):
    first = run(folder)
    before = written(folder / "secrets")

    second = run(folder, **YOURS)

    assert first.returncode == 1
    assert first.stderr.splitlines() == [
        "missing: secrets/slack_webhook_url: the address of your Slack webhook",
        "missing: secrets/smtp_password: the password of your mail account",
        "run this again in a terminal, or with SLACK_WEBHOOK_URL and SMTP_PASSWORD set",
    ]
    assert second.returncode == 0, second.stderr
    assert before.items() <= written(folder / "secrets").items()


def test_in_a_terminal_it_asks_and_shows_nothing_of_the_answer(folder):
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [folder / "scripts/make-secrets.sh"], env={"PATH": os.environ["PATH"]}, stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    for question, answer in ((b"webhook: ", "SLACK_WEBHOOK_URL"), (b"account: ", "SMTP_PASSWORD")):
        while question not in shown:
            shown += os.read(mine, 1024)
        while termios.tcgetattr(mine)[3] & termios.ECHO:
            os.sched_yield()  # the question stands there an instant before the echo is off
        os.write(mine, f"{YOURS[answer]}\n".encode())

    assert process.wait(timeout=30) == 0
    shown += os.read(mine, 4096)
    os.close(mine)
    assert not [answer for answer in YOURS.values() if answer.encode() in shown]
    assert written(folder / "secrets").items() >= {
        ("slack_webhook_url", YOURS["SLACK_WEBHOOK_URL"]), ("smtp_password", YOURS["SMTP_PASSWORD"])
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [(), ("demo",)])
def test_it_overwrites_nothing(folder, arguments):
    run(folder, *arguments, **YOURS)
    (folder / ".env").write_text((folder / ".env").read_text() + "# mine\n")
    before = written(folder)

    again = run(folder, *arguments, SLACK_WEBHOOK_URL="https://another.example", SMTP_PASSWORD="another")

    assert again.returncode == 0, again.stderr
    assert written(folder) == before
    assert "written" not in again.stdout


def test_containers_of_any_user_can_read_and_nobody_else_on_this_machine(folder):
    ran = subprocess.run(["sh", "-c", 'umask 077 && exec "$0" demo', folder / "scripts/make-secrets.sh"])

    modes = {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in (folder / "secrets").rglob("*")}
    assert ran.returncode == 0
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert {mode for path, mode in modes.items() if (folder / path).is_dir()} == {0o755}
    assert {mode for path, mode in modes.items() if (folder / path).is_file()} == {0o644}


def test_no_secret_ends_in_a_newline(folder):
    run(folder, "demo")

    assert not [name for name, text in written(folder / "secrets/demo").items() if text != text.strip()]


def test_the_demo_s_urls_have_its_passwords(folder):
    run(folder, "demo")

    secrets = written(folder / "secrets/demo")
    owner, password = secrets["postgres_password"], secrets["exporter_password"]
    assert secrets["postgres_url"] == f"postgresql://postgres:{owner}@postgres:5432/chatterfy"
    assert secrets["exporter/database_url"] == f"postgresql://exporter:{password}@postgres:5432/chatterfy"
    assert secrets["exporter/daily_url"] == f"postgresql://daily:{password}@postgres:5432/chatterfy"
    assert secrets["exporter/keeper_url"] == f"postgresql://keeper:{password}@postgres:5432/chatterfy"
    assert secrets["exporter/stripe_key"].startswith("sk_test_")
    assert secrets["exporter/sentry_dsn"] == DSN


def test_every_line_of_a_demo_s_env_leads_to_what_was_made_for_it(folder):
    run(folder, "demo")

    lines = (line for line in (folder / ".env").read_text().splitlines() if "=" in line and not line.startswith("#"))
    settings = dict(line.split("=", 1) for line in lines)
    paths = [value for value in settings.values() if value.startswith("./secrets/")]
    assert settings["EXPORTER_CONFIG"] == "./compose/demo.yml"
    assert settings["COMPOSE_PROFILES"] == "demo"
    assert len(paths) == 10
    assert all(path.startswith("./secrets/demo/") and (folder / path).exists() for path in paths)


@pytest.mark.parametrize(("first", "second", "complaint"), [
    ("demo", "", ".env: is there, and is for the demo: rename it, and run this again\n"),
    ("", "demo", ".env: is there, and is not for the demo: rename it, and run this again\n"),
])  # fmt: skip
def test_an_env_for_something_else_stays_and_is_named(folder, first: str, second: str, complaint: str):
    run(folder, *first.split(), **YOURS)
    before = (folder / ".env").read_text()

    ran = run(folder, *second.split(), **YOURS)

    assert (ran.returncode, ran.stderr) == (1, complaint)
    assert (folder / ".env").read_text() == before


def test_git_sees_nothing_of_it(folder):
    git = program("git")
    (folder / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    subprocess.run([git, "init", "--quiet", folder], check=True)
    before = subprocess.run([git, "-C", folder, "status", "--short", "-uall"], capture_output=True, text=True).stdout

    run(folder, "demo")

    after = subprocess.run([git, "-C", folder, "status", "--short", "-uall"], capture_output=True, text=True).stdout
    assert after == before


def test_it_explains_itself(folder):
    asked, wrong = run(folder, "--help"), run(folder, "prod")

    assert asked.stdout.startswith("Writes what docker-compose.monitoring.yml needs")
    assert (asked.returncode, wrong.returncode) == (0, 2)
    assert wrong.stdout == asked.stdout
    assert not (folder / "secrets").exists()
