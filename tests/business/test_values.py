"""Rows to samples: NULLs, caps, filled label sets, histograms."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.business.query import load_query
from exporter.business.values import filled, first_come, largest, samples, totals
from exporter.errors import Failed
from exporter.metrics.catalogue import Buckets

pytestmark = pytest.mark.fast

SQL = "SELECT plan, count(*) AS value FROM org GROUP BY 1\n"


@pytest.fixture
def query(tmp_path: Path):
    def make(*header: str):
        path = tmp_path / "own.sql"
        lines = ["metric: own_value", "help: Something.", "reads: [org]", *header]
        path.write_text("".join(f"-- {line}\n" for line in lines) + SQL)
        return load_query(path)

    return make


def shown(query, values):
    return {sample.labels: sample.value for sample in samples(query, values)}


def test_values_of_one_label_set_add_up(query):
    own = query("labels: [plan]")

    assert shown(own, totals(own, [("a", 1), ("b", 2), ("a", Decimal("0.5"))])) == {("a",): 1.5, ("b",): 2.0}


@pytest.mark.parametrize(("policy", "expected"), [("skip", {}), ("zero", {("a",): 0.0})])
def test_a_null_is_left_out_or_zero(query, policy, expected):
    own = query("labels: [plan]", f"null: {policy}")

    assert shown(own, totals(own, [("a", None)])) == expected


def test_a_null_can_be_an_error(query):
    own = query("labels: [plan]", "null: fail")

    with pytest.raises(Failed, match="query: own gave a value that is NULL"):
        totals(own, [("a", None)])


@pytest.mark.parametrize("value", ["many", date(2026, 1, 1), float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_an_error(query, value):
    own = query("labels: [plan]")

    with pytest.raises(Failed, match="query: own gave a value that is no number: "):
        totals(own, [("a", value)])


def test_declared_label_sets_are_zero_where_there_is_no_row(query):
    own = query("labels: [plan, status]", "fill: {plan: [x, y], status: [live]}")

    assert shown(own, filled(own, {("y", "live", "value"): Decimal(3), ("z", "off", "value"): Decimal(1)})) == {
        ("x", "live"): 0.0,
        ("y", "live"): 3.0,
        ("z", "off"): 1.0,
    }


def test_a_metric_without_labels_is_zero_where_there_is_no_row(query):
    own = query()

    assert shown(own, filled(own, {})) == {(): 0.0}


def test_counters_keep_whom_they_admitted_first_and_add_the_rest_up(query):
    own = query("labels: [plan]", "cap: 2")
    known: set[tuple[str, ...]] = set()

    first, _ = first_come(own, totals(own, [("a", 1), ("b", 1)]), known)
    second, dropped = first_come(own, totals(own, [("c", 5), ("b", 1), ("d", 2)]), known)

    assert shown(own, first) == {("a",): 1.0, ("b",): 1.0}
    assert shown(own, second) == {("b",): 1.0, ("other",): 7.0}
    assert dropped == 2


def test_gauges_keep_the_largest_and_the_sum(query):
    own = query("labels: [plan]", "cap: 2")

    values, dropped = largest(own, totals(own, [("a", 1), ("b", 10), ("c", 5), ("d", 2)]), set())

    assert shown(own, values) == {("b",): 10.0, ("c",): 5.0, ("other",): 3.0}
    assert dropped == 2


def test_two_that_are_nearly_equal_do_not_take_turns(query):
    own = query("labels: [plan]", "cap: 1")

    values, _ = largest(own, totals(own, [("a", 10), ("b", 11)]), {("a",)})

    assert shown(own, values) == {("a",): 10.0, ("other",): 11.0}


def test_a_histogram_gets_cumulative_buckets_and_a_sum(query):
    own = query("kind: histogram", "labels: [plan]", "time: org.created_at", "buckets: [1, 2]", "fill: {plan: [none]}")

    values = totals(own, [("a", 0, 2, 1.5), ("a", 2, 1, 9.0)])

    assert shown(own, filled(own, values)) == {
        ("a",): Buckets((2.0, 2.0, 3.0), 10.5),
        ("none",): Buckets((0.0, 0.0, 0.0), 0.0),
    }
