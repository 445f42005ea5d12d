"""The shapes of expression that panels are made of, computed by the real promtool."""

import subprocess
from typing import Any

import pytest
import yaml

from grafana.source.promql import gained, quantile, rate, total
from tests.support.dashboards.expressions import GAINED
from tests.support.dashboards.variables import readable
from tests.support.programs import program

OF = 'x_total{{environment="it", instance="{0}", job="it", plan="{1}"}}'


def series(instance: str, plan: str, values: str, **labels: str) -> dict[str, str]:
    more = "".join(f', {name}="{value}"' for name, value in labels.items())
    selector = f'x{{environment="it", instance="{instance}", job="it", plan="{plan}"{more}}}'
    return {"series": selector.replace("x{", "x_bucket{" if "le" in labels else "x_total{"), "values": values}


@pytest.fixture
def ask(tmp_path):
    """What an expression is at a moment, by the value of `plan`, for series with a value each minute."""

    def asked(expr: str, at: str, *given: dict[str, str], expected: dict[str, float]) -> None:
        samples: list[Any] = [
            {"labels": f'{{plan="{plan}"}}' if plan else "{}", "value": value} for plan, value in expected.items()
        ]
        case = {"expr": readable(expr), "eval_time": at, "exp_samples": samples}
        test = {"interval": "1m", "input_series": list(given), "promql_expr_test": [case]}
        (tmp_path / "test.yml").write_text(yaml.safe_dump({"tests": [test]}))
        done = subprocess.run(
            [program("promtool"), "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True
        )

        assert done.returncode == 0, done.stdout + done.stderr

    return asked


HOUR = gained("x_total", "plan", "1h")


def test_what_was_gained_is_exact(ask):
    ask(HOUR, "2h", series("a", "pro", "100x60 107x60"), expected={"pro": 7})


def test_a_replica_that_counts_the_same_counts_once(ask):
    ask(HOUR, "2h", series("a", "pro", "100x60 107x60"), series("b", "pro", "100x60 106x60"), expected={"pro": 7})


def test_a_label_that_is_born_within_the_window_had_nothing_before(ask):
    given = series("a", "free", "5x120"), series("a", "pro", "_x70 4x50")

    ask(HOUR, "2h", *given, expected={"free": 0, "pro": 4})


def test_a_prometheus_that_is_younger_than_the_window_counts_from_its_first_sample_on(ask):
    ask(HOUR, "30m", series("a", "pro", "100x10 103x30"), expected={"pro": 3})


def test_before_the_first_five_minutes_nothing_was_gained_yet(ask):
    ask(HOUR, "4m", series("a", "pro", "_x1 100x10"), expected={"pro": 0})


def test_the_tests_know_the_exact_difference_by_sight():
    assert GAINED.fullmatch(readable(HOUR))


def test_rates_and_sums_count_replicas_once(ask):
    given = series("a", "pro", "0+60x120"), series("b", "pro", "0+60x120")

    ask(rate("x_total", "plan"), "1h", *given, expected={"pro": 1})
    ask(total("x_total", "plan"), "1h", *given, expected={"pro": 3600})


def test_a_quantile_is_one_of_all_observations(ask):
    buckets = [series("a", "pro", f"0+{count}x120", le=le) for le, count in (("1", 50), ("2", 100), ("+Inf", 100))]

    ask(quantile(0.75, "x", ""), "1h", *buckets, expected={"": 1.5})
    ask(quantile(0.5, "x", "plan"), "1h", *buckets, expected={"pro": 1})
