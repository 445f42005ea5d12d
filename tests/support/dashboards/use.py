"""Which series dashboards and rules speak of."""

import re

from exporter.app import App  # noqa: F401  (declares every metric)
from exporter.metrics.catalogue import CATALOGUE
from tests.support.dashboards.expressions import expressions, plain
from tests.support.dashboards.files import Screen
from tests.support.promql import names
from tests.support.rules import alerts, rules

QUERY = re.compile(r'"([^"]+)"(?=[^{}]*\| query)')


def shown(screens: list[Screen]) -> set[str]:
    """On dashboards."""
    return {name for screen in screens for _, expr in expressions(screen) for name in names(plain(expr))}


def ruled() -> set[str]:
    """In rules, and in queries that messages ask."""
    asked = [query for alert in alerts() for text in alert.annotations.values() for query in QUERY.findall(text)]
    return {name for expr in [rule.expr for rule in rules()] + asked for name in names(expr.replace("%q", '"x"'))}


def unused(screens: list[Screen]) -> set[str]:
    """Metrics of the catalogue, and recorded series, that nobody speaks of."""
    spoken = shown(screens) | ruled()
    parts = {name: {name, *(f"{name}{part}" for part in ("_bucket", "_sum", "_count"))} for name in CATALOGUE}
    metrics = {name for name, series in parts.items() if not series & spoken}
    return metrics | {rule.record for rule in rules() if rule.record} - spoken
