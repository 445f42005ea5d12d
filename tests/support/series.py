"""The series that rules and dashboards can speak of: the catalogue's, those of other programs, and recorded ones."""

from collections.abc import Mapping
from functools import cache
from typing import cast

from prometheus_client.utils import floatToGoString

from exporter.app import App  # noqa: F401  (declares every metric)
from exporter.business.shipped import SHIPPED
from exporter.metrics.catalogue import CATALOGUE, Metric
from tests.support.promql import Kind, Reading, Vector, with_recorded
from tests.support.rules import alerts, rules

TARGET = ("environment", "job", "instance")
"""Labels of every scraped series: prometheus.yml gives the first, Prometheus itself the others."""

QUERIES = frozenset(query.name for query in SHIPPED)
TASKS = QUERIES | {"tables", "recount", "daily", "process"}

THEIRS: Mapping[str, tuple[Kind, tuple[str, ...]]] = {
    "prometheus_config_last_reload_successful": ("gauge", ()),
    "prometheus_notifications_dropped_total": ("counter", ()),
    "prometheus_notifications_errors_total": ("counter", ("alertmanager",)),
    "prometheus_rule_evaluation_failures_total": ("counter", ("rule_group",)),
    "prometheus_rule_group_interval_seconds": ("gauge", ("rule_group",)),
    "prometheus_rule_group_iterations_missed_total": ("counter", ("rule_group",)),
    "prometheus_rule_group_last_duration_seconds": ("gauge", ("rule_group",)),
    "prometheus_tsdb_head_samples_appended_total": ("counter", ("type",)),
    "prometheus_tsdb_head_series": ("gauge", ()),
    "alertmanager_config_last_reload_successful": ("gauge", ()),
    "alertmanager_notifications_failed_total": ("counter", ("integration",)),
    "alertmanager_notifications_total": ("counter", ("integration",)),
}
"""What Prometheus and Alertmanager say of themselves, as far as anything here uses it; a test asks the programs."""

MADE: Mapping[str, tuple[str, ...]] = {
    "up": (),
    "scrape_duration_seconds": (),
    "scrape_samples_scraped": (),
    "ALERTS": ("alertname", "alertstate", "severity"),
    "ALERTS_FOR_STATE": ("alertname", "severity"),
}
"""Gauges that Prometheus makes, which stand on no page."""


@cache
def known() -> dict[str, Vector]:
    """All of them by name; `environment` and the like are among the labels."""
    series = {name: Vector.of(kind, (*labels, *TARGET)) for name, (kind, labels) in THEIRS.items()}
    series |= {name: Vector.of("gauge", (*labels, *TARGET)) for name, labels in MADE.items()}
    for metric in CATALOGUE.values():
        series |= _ours(metric)
    series = with_recorded(rules(), series)
    return series | {name: _of_alerts(name, series) for name in ("ALERTS", "ALERTS_FOR_STATE")}


def _of_alerts(name: str, series: Mapping[str, Vector]) -> Vector:
    """Every alert has its own labels beside those that all have."""
    results = [Reading(alert.expr, series).result.having(alert.labels) for alert in alerts()]
    common = frozenset(MADE[name])
    return Vector("gauge", common, common.union(*(result.possible for result in results)))


def _ours(metric: Metric) -> dict[str, Vector]:
    labels = (*metric.labels, *TARGET)
    values = {"task": TASKS, "query": QUERIES}
    if metric.kind != "histogram":
        return {metric.name: Vector.of(cast("Kind", metric.kind), labels, values)}
    bounds = {"le": frozenset(map(floatToGoString, (*metric.buckets, float("inf"))))}
    parts = {f"{metric.name}{part}": Vector.of("counter", labels, values) for part in ("_sum", "_count")}
    return parts | {f"{metric.name}_bucket": Vector.of("counter", (*labels, "le"), values | bounds)}
