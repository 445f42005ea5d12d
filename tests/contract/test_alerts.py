"""Every alert says all that a tired person needs, and has a runbook that is right."""

import re

import pytest

from tests.support.cli import run
from tests.support.dashboards.files import uids
from tests.support.promql import Reading
from tests.support.rules import Rule, alerts
from tests.support.runbooks import FOLDER, RUNBOOKS, blocks, commands, silence
from tests.support.series import known

pytestmark = pytest.mark.fast

SECTIONS = ["What it means", "What users feel", "First three checks", "Usual causes", "How to silence"]
SEVERITIES = {"critical", "warning", "info", "none"}
each_alert = pytest.mark.parametrize("alert", alerts(), ids=lambda rule: rule.alert)


def test_alerts_and_runbooks_belong_together():
    names = [rule.alert for rule in alerts()]

    assert sorted(names) == sorted(RUNBOOKS)


@each_alert
def test_an_alert_is_complete(alert: Rule):
    annotations = alert.annotations

    assert {*annotations} == {"summary", "description", "value", "runbook_url", "dashboard_url"}
    assert all(text.strip() for text in annotations.values())
    assert "\n" not in annotations["summary"].strip()
    assert annotations["summary"].endswith(".")
    assert annotations["runbook_url"] == f"{{{{ $externalLabels.runbooks }}}}/{alert.alert}"
    address, _, dashboard = annotations["dashboard_url"].rpartition("/d/")
    assert (address, dashboard in uids()) == ("{{ $externalLabels.dashboards }}", True)
    assert alert.labels["severity"] in SEVERITIES


@each_alert
def test_a_runbook_has_the_alert_s_severity_its_sections_and_three_checks(alert: Rule):
    text = RUNBOOKS[alert.alert]
    checks = text.split("## First three checks\n")[1].split("\n## ")[0]

    assert text.startswith(f"# {alert.alert}\n\nSeverity **{alert.labels['severity']}**: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert re.findall(r"^(\d)\. .+", checks, re.MULTILINE) == ["1", "2", "3"]
    assert checks.count("```") == 6
    assert text.count("\n") <= 60


@each_alert
def test_a_runbook_says_how_long_the_condition_has_to_last(alert: Rule):
    severity = " ".join(RUNBOOKS[alert.alert].split("\n\n")[1].split())
    number, unit = alert.wait[:-1], {"s": "second", "m": "minute", "h": "hour"}[alert.wait[-1]]
    lasting = f"for {number} {unit}{'s' * (number != '1')}"

    assert (lasting in severity) == (number != "0")


@each_alert
def test_a_silence_names_the_alert_and_labels_that_it_has(alert: Rule):
    words = silence(alert.alert)
    labels = dict(word.split("=", 1) for word in words if "=" in word and not word.startswith("--"))
    result = Reading(alert.expr, known()).result

    assert words[:3] == ["amtool", "silence", "add"]
    assert labels.pop("alertname") == alert.alert
    # The environment comes with Prometheus' external labels, also where the data has none.
    assert {*labels} <= result.possible | {*alert.labels, "environment"}


@pytest.mark.parametrize(("alert", "arguments"), commands(), ids=lambda it: it if isinstance(it, str) else " ".join(it))
def test_a_command_and_its_options_are_there(alert, arguments):
    asked = run(*arguments, "--help")

    assert asked.exit_code == 0, asked.stderr


@pytest.mark.parametrize("block", blocks("promql"), ids=lambda block: f"{block.alert}-{block.code[:30]}")
def test_a_query_can_be_asked(block):
    problems = Reading(block.code, known()).problems

    # A person may look at a counter as it is, and sees when it was reset; a rule may not.
    assert [problem for problem in problems if "a counter as it is" not in problem] == []


def test_code_is_of_kinds_that_are_tested():
    fences = re.findall(r"^ *```(\w+)$", "\n".join(RUNBOOKS.values()), re.MULTILINE)

    assert {*fences} == {"sh", "promql"}


def test_the_index_lists_each_alert_under_its_severity():
    sections = (FOLDER / "README.md").read_text().split("\n## ")[1:]
    listed = {
        (section.split(":")[0].lower(), name)
        for section in sections
        for name in re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| .+\. \|$", section, re.MULTILINE)
    }

    assert listed == {(rule.labels["severity"], rule.alert) for rule in alerts()}
