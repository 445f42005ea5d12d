"""Dashboards speak of series that are there, and colours change where alerts fire."""

import pytest

from tests.support.dashboards.expressions import expression_problems, naming_problems
from tests.support.dashboards.files import screens
from tests.support.dashboards.thresholds import limits, threshold_problems
from tests.support.dashboards.use import unused

pytestmark = pytest.mark.fast
each_screen = pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)

FIRST = "one is the first that is too many"
GOOD = "web.dev calls more than that no longer good; of what is poor an alert tells"
LIMITS: dict[tuple[str, str, float], str] = {
    ("alerts", "Critical", 1): FIRST,
    ("alerts", "Warnings", 1): FIRST,
    ("alerts", "About to fire", 1): FIRST,
    ("alerts", "Time to resolve, 7 days", 1800): "half an hour is an aim of the team's, and nothing that fires",
    **{
        (name, title, value): GOOD
        for vital, value in (("Page load", 2.5), ("Reaction", 0.2), ("Layout shift", 0.1))
        for name, title in (("overview", f"{vital}, p75"), ("api", f"{vital} by page, p75"), ("api", "Each page"))
    },
    ("business", "MRR, change in 30 days", 0): "revenue that shrinks",
    ("exporter", "Dropped", 1): FIRST,
    ("overview", "Alerts firing", 1): FIRST,
    ("overview", "Error budget left", 0): "the budget is used up",
    ("overview", "Error budget over time", 0): "the budget is used up",
}
"""Limits that are neither an alert's nor an objective's, and why."""

UNUSED = {
    "python_gc_collections_total": "for those who look for a leak",
    "python_gc_objects_collected_total": "as above",
    "python_gc_objects_uncollectable_total": "as above",
    "process_max_fds": "open files are shown by number; the limit is far away",
    "process_virtual_memory_bytes": "what is reserved is not used; resident memory is shown",
    "slo:current_burn_rate:ratio": "for dashboards made for Sloth's names",
    "slo:time_period:days": "as above",
    "environment_probe:chatterfy_probe_duration_seconds:p50_rate5m": "for questions asked by hand",
    "environment_probe:chatterfy_probe_success:avg_1d": "for questions asked by hand, over months",
}
"""Metrics and recorded series that are on no dashboard and in no rule, and why."""


@each_screen
def test_expressions_take_series_that_are_there_as_what_they_are(screen):
    assert expression_problems(screen) == []


@each_screen
def test_names_of_series_and_columns_are_of_labels_that_are_left(screen):
    assert naming_problems(screen) == []


@each_screen
def test_colours_change_where_an_alert_fires_or_an_objective_ends(screen):
    assert threshold_problems(screen, LIMITS) == []


def test_every_limit_of_its_own_is_still_there():
    there = {limit for screen in screens() for limit in limits(screen)}

    assert {*LIMITS} <= there


def test_every_metric_and_recorded_series_is_on_a_dashboard_or_in_a_rule():
    assert unused(screens()) == {*UNUSED}
