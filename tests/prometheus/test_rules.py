"""The shipped rules: valid, unit-tested to the last alert and record, and each number in them is held by a test."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.detection import ranges, seconds
from tests.support.programs import program
from tests.support.rules import FOLDER, Rule, alerts, rules

FILES = ("api", "availability", "business", "monitoring", "received", "slo")
COMPARISON = re.compile(
    r"(?P<sign>[<>]=?|==|!=)\s*(?P<rest>(?:on \([a-z, ]*\) group_left \(\) )?)(?P<number>\d+(?:\.\d+)?)"
)
"""A comparison with a number, as the rules write it."""
INVERTED = {"==": "!=", "!=": "==", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}


def promtool(*arguments: object, cwd: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool"), *map(str, arguments)], cwd=cwd, capture_output=True, text=True)


def unit_tests(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"tests/{name}.yml").read_text())


def test_every_rule_file_has_its_tests():
    assert {path.stem for path in (FOLDER / "rules").iterdir()} == set(FILES)
    assert {path.stem for path in (FOLDER / "tests").iterdir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_the_rules_are_valid_without_a_warning(name):
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", f"rules/{name}.yml")

    assert (done.returncode, done.stderr) == (0, "")


def test_the_configuration_is_valid_and_finds_the_rules():
    done = promtool("check", "config", "prometheus.yml")

    assert done.returncode == 0, done.stderr
    assert f"SUCCESS: {len(FILES)} rule files found" in done.stdout


@pytest.mark.parametrize("name", FILES)
def test_the_unit_tests_pass(name):
    done = promtool("test", "rules", f"tests/{name}.yml")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_every_alert_has_a_test_that_fires_with_its_words_and_one_that_stays_quiet(name):
    cases = [case for test in unit_tests(name)["tests"] for case in test.get("alert_rule_test", ())]
    mine = {rule.alert for rule in alerts() if rule.group.startswith(f"{name}/")}

    fires = {case["alertname"] for case in cases if case.get("exp_alerts")}
    quiet = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    words = {
        case["alertname"]
        for case in cases
        if any("summary" in it.get("exp_annotations", {}) for it in case.get("exp_alerts") or ())
    }

    assert (fires, quiet | {"Watchdog"} & mine, words) == (mine, mine, mine)


@pytest.mark.parametrize("name", FILES)
def test_every_record_is_asserted(name):
    asserted = " ".join(
        case["expr"]
        for test in unit_tests(name)["tests"]
        for case in test.get("promql_expr_test", ())
        if case.get("exp_samples")
    )
    records = {rule.record for rule in rules() if rule.record and rule.group.startswith(f"{name}/")}

    assert {record for record in records if not re.search(rf"\b{record}\b", asserted)} == set()


def test_every_window_is_as_long_as_four_scrapes():
    scrape = seconds(yaml.safe_load((FOLDER / "prometheus.yml").read_text())["global"]["scrape_interval"])

    short = [(rule.alert or rule.record, window) for rule in rules() for window in ranges(rule) if window < 4 * scrape]

    assert short == []


def test_every_record_looks_at_the_window_that_it_is_named_after():
    named = [(rule, found[1]) for rule in rules() if (found := re.search(r"(\d+[mhd])$", rule.record))]

    wrong = [(rule.record, window) for rule, name in named for window in ranges(rule) if window != seconds(name)]

    assert wrong == []
    assert named != []


def mutants(rule: Rule) -> Iterator[tuple[str, dict[str, str | None]]]:
    """What is changed, in words, and the rule's keys as they are then."""
    for found in COMPARISON.finditer(rule.expr):
        before, after = rule.expr[: found.start()], rule.expr[found.end() :]
        sign, rest, number = found["sign"], found["rest"], float(found["number"])
        if number in (0, 1) and not rest:
            yield f"{found[0]} inverted", {"expr": f"{before}{INVERTED[sign]} {rest}{number:g}{after}"}
        else:
            for factor in (10, 0.1):
                yield f"{found[0]} x {factor}", {"expr": f"{before}{sign} {rest}{number * factor:g}{after}"}
    if rule.wait != "0s":
        yield f"for: {rule.wait} dropped", {"for": None}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule.alert)
def test_no_threshold_and_no_wait_can_be_changed_unnoticed(rule, tmp_path):
    name = rule.group.partition("/")[0]
    files = {f"{it}.yml": (FOLDER / f"rules/{it}.yml").read_text() for it in FILES}
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    tests = unit_tests(name)
    tests["tests"] = [test for test in tests["tests"] if speaks_of(test, rule.alert)]
    (tmp_path / f"tests/{name}.yml").write_text(yaml.safe_dump(tests, width=1000))
    for file, text in files.items():
        (tmp_path / "rules" / file).write_text(text)

    # A test that fails as it is would call every mutant found.
    assert promtool("test", "rules", f"tests/{name}.yml", cwd=tmp_path).returncode == 0
    survivors = []
    for change, keys in mutants(rule):
        document = yaml.safe_load(files[f"{name}.yml"])
        (mutant,) = (it for group in document["groups"] for it in group["rules"] if it.get("alert") == rule.alert)
        mutant.update(keys)
        (tmp_path / f"rules/{name}.yml").write_text(
            yaml.safe_dump({"groups": [_without_nothing(group) for group in document["groups"]]}, width=1000)
        )
        done = promtool("test", "rules", f"tests/{name}.yml", cwd=tmp_path)
        if "got:" not in done.stdout + done.stderr:  # nothing was found, or the mutant is no rule
            survivors.append(change)

    assert survivors == []


def speaks_of(test: dict[str, Any], alert: str) -> bool:
    """Whether a unit test says when the alert fires; others cannot tell that it was changed."""
    return any(case["alertname"] == alert for case in test.get("alert_rule_test", ()))


def _without_nothing(group: dict[str, Any]) -> dict[str, Any]:
    """The group without keys that a mutant dropped."""
    return group | {"rules": [{key: it for key, it in rule.items() if it is not None} for rule in group["rules"]]}


def test_every_alert_but_the_watchdog_has_something_to_change():
    assert [rule.alert for rule in alerts() if not list(mutants(rule))] == ["Watchdog"]
