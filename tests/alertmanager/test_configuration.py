"""The shipped alertmanager.yml is valid, complete, and has its secrets elsewhere."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.alertmanager import CONFIG, FOLDER, amtool, configuration
from tests.support.programs import program

OWN = {"smtp_smarthost", "smtp_from", "smtp_auth_username", "to"}
"""What a team has to write: it cannot come from a file."""


def test_amtool_finds_nothing_wrong_with_a_copy_of_the_folder(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "copy")

    said = amtool("check-config", tmp_path / "copy/alertmanager.yml")

    assert "SUCCESS" in said
    assert "FAILED" not in said


def test_amlint_finds_nothing_but_the_receiver_that_is_empty_on_purpose():
    command = [program("amlint", Path(sys.executable).parent), "check", "--strict", "--format", "json"]
    ran = subprocess.run(
        [*command, "--rules", str(FOLDER.parent / "prometheus/rules/*.yml"), str(CONFIG)],
        capture_output=True, text=True,
    )  # fmt: skip
    found = [(it["code"], it["where"]) for it in json.loads(ran.stdout)]

    # Information is sent to no one: an empty receiver is how Alertmanager says that.
    assert found == [("empty-receiver", "receivers[none]")]


def test_what_is_to_be_changed_stands_together_under_one_comment():
    block = CONFIG.read_text().partition("# ---- Yours")[2].partition("# ---- From here on nothing")[0]
    changed = set(re.findall(r"^ +(?:- )?(\w+): .*example\.com", block, re.MULTILINE))

    assert changed == OWN
    assert len(re.findall(r"example\.com", CONFIG.read_text())) == len(OWN)


def test_secrets_are_files_with_absolute_paths():
    text = CONFIG.read_text()
    files = dict(re.findall(r"(\w+_file): (\S+)", text))

    assert files == {
        "smtp_auth_password_file": "/run/secrets/smtp_password",
        "slack_api_url_file": "/run/secrets/slack_webhook_url",
        "credentials_file": "/run/secrets/alerts_token",
    }
    assert not re.search(r"(password|token|secret|credentials|api_url):", text)


def test_every_message_is_followed_by_one_that_it_is_over():
    channels = [
        channel
        for receiver in configuration()["receivers"]
        for kind, configured in receiver.items()
        if kind != "name"
        for channel in configured
    ]

    assert len(channels) == 6
    assert all(channel["send_resolved"] for channel in channels)
