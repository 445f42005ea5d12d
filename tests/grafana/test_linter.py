"""The rules of grafana/dashboard-linter, and where they do not hold here."""

from fnmatch import fnmatchcase

import pytest

from tests.support.dashboards.files import screens
from tests.support.dashboards.linter import RULES

pytestmark = pytest.mark.fast

ONE_JOB = "series go by environment, and by name there is one job that has them"
REPLICAS = (
    "replicas see the same thing, so they are aggregated away; which one it was is the exporter's dashboard's matter"
)

EXCEPTIONS = {
    ("template-job-rule", "*/job"): ONE_JOB,
    ("target-job-rule", "*"): ONE_JOB,
    ("template-instance-rule", "[!e]*/instance"): REPLICAS,
    ("template-instance-rule", "exporter/instance"): "`.*` also shows series without the label, which `.+` would hide",
    ("target-instance-rule", "*"): REPLICAS,
    ("target-rate-interval-rule", "api/Ten slowest"): "it is about the last hour, however wide the panel is",
}
"""By rule and `dashboard/panel`."""


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_holds(rule):
    found = [(f"{screen.name}/{where}", problem) for screen in screens() for where, problem in RULES[rule](screen)]
    excepted = [pattern for name, pattern in EXCEPTIONS if name == rule]

    assert [it for it in found if not any(fnmatchcase(it[0], pattern) for pattern in excepted)] == []
    assert [it for it in excepted if not any(fnmatchcase(where, it) for where, _ in found)] == [], "no longer needed"


def test_every_exception_is_of_a_rule():
    assert {rule for rule, _ in EXCEPTIONS} <= {*RULES}
    assert len(RULES) == 17
