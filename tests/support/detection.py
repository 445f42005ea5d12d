"""How long it takes from something breaking to Alertmanager's message, at worst: computed from the shipped files.

    source + scrape + evaluations + window + for + group_wait

- source: until the exporter's page says it. A probe: the interval, its timeout, the way to the page. The API's log: the
  query's `every`, which is how old its numbers may be on the page, and its timeout. A scrape that fails by itself: the
  scrape's timeout.
- scrape: one interval.
- evaluations: one interval for each group on the way from the series to the alert. Rules of one group are evaluated in
  order at the same timestamp, so a chain within a group costs one; one that reads what a later rule records, two.
- window: until enough of it is bad. For a share that is window x threshold / share, for a count the time of that many.
- for: rounded up to whole evaluations.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import promql_parser as promql
import yaml

from exporter.business.run import TO_THE_PAGE
from exporter.business.shipped import SHIPPED
from exporter.probes.base import KINDS
from tests.support.alertmanager import configuration
from tests.support.rules import FOLDER, Rule, rules

SHARE = 0.2
"""Of all requests, those that fail in the outage that is to be noticed."""
REQUESTS = 1.0
"""Requests a second while it lasts: what an alert on a count of errors needs to be as fast as is said here."""
SCRAPE_TIMEOUT = "10s"
"""Prometheus' own default."""
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

EXEMPT = {
    "SloBurnRateFast": "guards a budget over hours; ErrorShareHigh and CriticalProbeDown are the fast ones",
    "HighChurn": "counts over an hour",
    "CertificateExpiringSoon": "tells days ahead",
    "NoMessages": "an absence is known only when its window is over",
    "SpoolNearlyFull": "tells ahead, while a fifth of the spool is left",
}
"""Critical alerts that may take longer, and why."""


def seconds(duration: str) -> float:
    """Prometheus' way to write a duration, in seconds."""
    return sum(float(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhd])", duration))


@cache
def prometheus() -> dict[str, Any]:
    """The shipped configuration."""
    return dict(yaml.safe_load((FOLDER / "prometheus.yml").read_text()))


def _scrape(key: str, default: str) -> float:
    (job,) = (job for job in prometheus()["scrape_configs"] if job["job_name"] == "chatterfy-exporter")
    return seconds(job.get(key) or prometheus()["global"].get(key) or default)


def _interval(rule: Rule) -> float:
    return seconds(rule.interval or prometheus()["global"]["evaluation_interval"])


def _nodes(node: Any) -> Iterator[Any]:
    """An expression and everything in it."""
    yield node
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        if (child := getattr(node, name, None)) is not None:
            yield from _nodes(child)
    for child in getattr(node, "args", None) or ():
        yield from _nodes(child)


def _expression(rule: Rule) -> list[Any]:
    return list(_nodes(promql.parse(rule.expr)))


def ranges(rule: Rule) -> list[float]:
    """The lengths of the windows that the rule looks at, in seconds."""
    return [node.range.total_seconds() for node in _expression(rule) if isinstance(node, promql.MatrixSelector)]


def _recorded(rule: Rule) -> list[Rule]:
    """The rules whose series this one reads."""
    names = {node.name for node in _expression(rule) if isinstance(node, promql.VectorSelector)}
    return [it for it in rules() if it.record in names and it.record]


def _evaluations(rule: Rule) -> float:
    before = [_evaluations(it) + _between(it, rule) for it in _recorded(rule)]
    return max(before, default=_interval(rule))


def _between(first: Rule, then: Rule) -> float:
    return 0.0 if first.group == then.group and first.place < then.place else _interval(then)


def _threshold(rule: Rule, of: Callable[[Any], bool]) -> float:
    """The number that what `of` recognises is compared with."""
    (number,) = (
        node.rhs.val
        for node in _expression(rule)
        if isinstance(node, promql.BinaryExpr) and str(node.op) == ">" and of(node.lhs)
        if isinstance(node.rhs, promql.NumberLiteral)
    )
    return float(number)


def _share(rule: Rule) -> float:
    """Until the share over the window is above the threshold."""

    def ratio(node: Any) -> bool:
        return isinstance(node, promql.VectorSelector) and ":ratio_" in (node.name or "")

    (recorded,) = (it for it in _recorded(rule) if ":ratio_" in it.record)
    return max(ranges(recorded)) * _threshold(rule, ratio) / SHARE


def _count(rule: Rule) -> float:
    """Until there were more than so many errors."""

    def difference(node: Any) -> bool:
        return isinstance(node, promql.BinaryExpr) and str(node.op) == "-"

    return (_threshold(rule, difference) + 1) / (SHARE * REQUESTS)


def _at_once(_: Rule) -> float:
    return 0.0


def _probe() -> float:
    kinds = [kind.model_fields for kind in KINDS.values()]
    return max(float(it["interval"].default) + float(it["timeout"].default) for it in kinds) + TO_THE_PAGE


def _requests() -> float:
    (query,) = (query for query in SHIPPED if query.name == "http_requests")
    return query.header.every + query.timeout


def _hanging_scrape() -> float:
    return _scrape("scrape_timeout", SCRAPE_TIMEOUT)


@dataclass(frozen=True)
class Symptom:
    """Where an alert's news come from, and how long they take to fill its window."""

    source: Callable[[], float]
    window: Callable[[Rule], float] = _at_once


SYMPTOMS = {
    "CriticalProbeDown": Symptom(_probe),
    "ExporterDown": Symptom(_hanging_scrape),
    "ErrorShareHigh": Symptom(_requests, _share),
    "HighErrorCount": Symptom(_requests, _count),
}
"""Critical alerts that have to be in time."""


def _group_wait(rule: Rule) -> float:
    (route,) = (
        it for it in configuration()["route"]["routes"] if f'severity="{rule.labels["severity"]}"' in it["matchers"]
    )
    return seconds(route["group_wait"])


def _bound(rule: Rule) -> float:
    symptom, every = SYMPTOMS[rule.alert], _interval(rule)
    held = math.ceil(seconds(rule.wait) / every) * every
    before = symptom.source() + _scrape("scrape_interval", "1m")
    return before + _evaluations(rule) + symptom.window(rule) + held + _group_wait(rule)


def bounds() -> dict[str, float]:
    """Seconds, at worst, from something breaking to the first message, by alert."""
    return {rule.alert: _bound(rule) for rule in rules() if rule.alert in SYMPTOMS}
