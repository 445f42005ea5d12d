"""Targets, and figures as tables show them."""

import pytest

from bench.measures.schedule import lateness_of
from bench.report import Target, figure

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("measured", "at_least", "met"), [(4, False, True), (6, False, False), (4, True, False), (6, True, True)]
)
def test_a_target_is_met_on_its_side_of_the_limit(measured, at_least, met):
    target = Target("it", measured, 5, at_least=at_least)

    assert target.met is met
    assert target.row[3] == ("met" if met else "**missed**")


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (0.4721, "0.472"), (3.9, "3.90"), (12.345, "12.3"), (1234.5, "1,234")]
)
def test_a_figure_shows_three_digits_that_count(number, text):
    assert figure(number) == text


def test_a_run_is_late_against_the_probes_most_punctual_one():
    late = lateness_of({100.0, 110.5, 120.0, 139.75}, 10.0)

    assert sorted(late) == [0.0, 0.25, 0.25, 0.75]
