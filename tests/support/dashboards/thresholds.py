"""Whether the colours change where the alerts fire, or where an objective ends."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import promql_parser as promql

from tests.support.dashboards.files import Panel, Screen
from tests.support.dashboards.links import runbook_links
from tests.support.rules import alerts, rules

MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
WORSE = {"red": 2, "orange": 1}
"""How bad a colour is; others are not."""
JUST_ABOVE_ZERO = 1e-9
SLOW = 2.0
"""Seconds, of the objective api-latency (prometheus/rules/slo.yml)."""


def compared(expr: str) -> set[tuple[str, float]]:
    """The numbers, or multiples of something, that an expression is compared with, and how: (">", 0.05)."""
    found: set[tuple[str, float]] = set()

    def visit(it: promql.Expr) -> None:
        if isinstance(it, promql.BinaryExpr) and str(it.op) in MIRRORED:
            found.update((str(it.op), number) for number in _leading(it.rhs))

    promql.walk(promql.parse(expr), visit)
    return found


def _leading(it: promql.Expr) -> Iterator[float]:
    """0.05 of itself, 14.4 of `14.4 * budget`, 3 of `3 * interval + 60`."""
    if isinstance(it, promql.NumberLiteral):
        yield it.val
    elif isinstance(it, promql.BinaryExpr) and str(it.op) in {"*", "+"}:
        yield from _leading(it.lhs)


@cache
def fires() -> Mapping[str, set[tuple[str, float]]]:
    """What each alert compares with; a colour begins at its value, so for `> 0` it has to begin just above."""
    above = {(">", 0.0): (">", JUST_ABOVE_ZERO)}
    return {alert.alert: {above.get(it, it) for it in compared(alert.expr)} for alert in alerts()}


@cache
def objectives() -> Mapping[str, set[float]]:
    """By unit: the share that is promised, the share that may fail, and what is too slow."""
    promised = [rule.expr for rule in rules() if rule.record == "slo:objective:ratio"]
    shares = {float(expr.removeprefix("vector(").removesuffix(")")) for expr in promised}
    bounds = {rule.expr for rule in rules() if f'le="{SLOW}"' in rule.expr}
    return {"percentunit": shares | {round(1 - share, 9) for share in shares}, "s": {SLOW} if bounds else set()}


def threshold_problems(screen: Screen, named: Mapping[tuple[str, str, float], str]) -> list[str]:
    """`named` has limits that are neither an alert's nor an objective's, by dashboard, panel and value, and why."""
    problems = []
    for panel in screen.panels:
        linked = runbook_links(panel)
        known = {name: {number for _, number in fires().get(name, ())} for name in linked}
        limits = [(where, unit, value) for where, unit, value, _, _ in _steps(panel)]
        for where, unit, value in limits:
            told = any(value in numbers for numbers in known.values()) or value in objectives().get(unit, ())
            if not told and (screen.name, panel.title, value) not in named:
                problems.append(f"{where}: nothing says that {value:g} is the limit")
        for name, numbers in known.items():
            if not numbers & {value for _, _, value in limits} and not panel.defaults.get("mappings"):
                problems.append(f"{panel.title}: no colour changes where {name} fires")
        problems += _direction_problems(panel, {pair for name in linked for pair in fires().get(name, ())})
    return problems


def limits(screen: Screen) -> set[tuple[str, str, float]]:
    """Every value at which a colour changes."""
    return {(screen.name, panel.title, value) for panel in screen.panels for _, _, value, _, _ in _steps(panel)}


def _direction_problems(panel: Panel, compared: set[tuple[str, float]]) -> Iterator[str]:
    for where, _, value, below, above in _steps(panel):
        for sign, number in compared:
            if number == value and sign in MIRRORED:
                bad, good = (above, below) if sign.startswith(">") else (below, above)
                if WORSE.get(bad, 0) <= WORSE.get(good, 0):
                    yield f"{where}: {bad} is bad, {good} is good, and the alert fires {sign} {value:g}"


def _steps(panel: Panel) -> Iterator[tuple[str, str, float, str, str]]:
    """Where, its unit, the value, and the colours below and from it on."""
    defaults = panel.defaults
    units = dict(panel.overridden("unit"))
    sets: list[tuple[str, str, Any]] = [(panel.title, defaults.get("unit", ""), defaults.get("thresholds"))]
    for column, thresholds in panel.overridden("thresholds"):
        sets.append((f"{panel.title}, {column}", units.get(column, defaults.get("unit", "")), thresholds))
    for where, unit, thresholds in sets:
        steps = (thresholds or {}).get("steps", [])
        for before, step in pairwise(steps):
            yield where, unit, step["value"], before["color"], step["color"]
