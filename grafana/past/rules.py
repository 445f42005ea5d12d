"""The shipped rules, as they are evaluated: what records before what reads it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

from grafana.past.story import STEP

FOLDER = Path(__file__).parents[2] / "prometheus" / "rules"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Rule:
    """A recording rule, or an alert; `wait` is its `for`, in seconds."""

    record: str
    alert: str
    expr: str
    wait: int
    labels: dict[str, str] = field(hash=False)
    interval: int


@dataclass(frozen=True)
class Group:
    """A group of rules of a file, evaluated every so many seconds."""

    file: str
    name: str
    interval: int
    rules: tuple[Rule, ...]


@cache
def groups() -> tuple[Group, ...]:
    """All of them, in the order of files."""
    return tuple(
        _group(path.name, it)
        for path in sorted(FOLDER.glob("*.yml"))
        for it in yaml.safe_load(path.read_text())["groups"]
    )


def seconds(duration: str) -> int:
    """Prometheus' way to write a duration."""
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


def _group(file: str, it: dict[str, Any]) -> Group:
    interval = seconds(it.get("interval", f"{STEP}s"))
    rules = tuple(
        Rule(
            record=rule.get("record", ""),
            alert=rule.get("alert", ""),
            expr=str(rule["expr"]),
            wait=seconds(rule.get("for", "0s")),
            labels=rule.get("labels", {}),
            interval=interval,
        )
        for rule in it["rules"]
    )
    return Group(file, it["name"], interval, rules)


def alerts() -> list[Rule]:
    """Those that alert."""
    return [rule for group in groups() for rule in group.rules if rule.alert]


def levels() -> Iterator[list[Rule]]:
    """The recording rules: each level reads what the levels before it have recorded, and nothing else of that kind."""
    recording: dict[str, list[Rule]] = {}
    for group in groups():
        for rule in group.rules:
            if rule.record:
                recording.setdefault(rule.record, []).append(rule)
    needs = {
        name: {need for it in rules for need in _names(it.expr)} & recording.keys() for name, rules in recording.items()
    }
    order = TopologicalSorter(needs)
    order.prepare()
    while order.is_active():
        ready = sorted(order.get_ready())
        yield [rule for name in ready for rule in recording[name]]
        order.done(*ready)


def _names(text: str) -> set[str]:
    """The series that an expression takes."""
    found: set[str] = set()

    def visit(it: promql.Expr) -> None:
        if isinstance(it, promql.VectorSelector):
            found.add(it.name or "")
        elif isinstance(it, promql.MatrixSelector):
            found.add(it.vector_selector.name or "")

    promql.walk(promql.parse(text), visit)
    return found
