"""PromQL as the tests read it: which series an expression takes, whether it may, and which labels are left."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from typing import Literal

import promql_parser as promql

from tests.support.rules import Rule

Kind = Literal["gauge", "counter", "sum", "scalar"]
"""A `sum` is a recorded sum of counters: it may be compared with itself, and rates may be taken of it."""

RATES = {"rate", "increase", "irate", "resets"}
DIFFERENCES = {"delta", "idelta", "deriv", "predict_linear", "holt_winters", "double_exponential_smoothing"}
COUNTS = {"count", "group", "count_values", "count_over_time", "present_over_time", "changes", "timestamp"}
KEEPING = {"topk", "bottomk", "limitk", "limit_ratio"}
COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}


@dataclass(frozen=True)
class Vector:
    """Series, known or computed. Each of them has `labels`, and some have all of `possible`."""

    kind: Kind
    labels: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Labels that have no other values than these."""

    @classmethod
    def of(cls, kind: Kind, labels: Iterable[str], values: Mapping[str, frozenset[str]] | None = None) -> "Vector":
        """One whose series all have the same labels."""
        return cls(kind, frozenset(labels), frozenset(labels), values or {})

    def only(self, labels: Iterable[str]) -> "Vector":
        return Vector(self.kind, self.labels & {*labels}, self.possible & {*labels})

    def without(self, labels: Iterable[str]) -> "Vector":
        return Vector(self.kind, self.labels - {*labels}, self.possible - {*labels})

    def having(self, labels: Iterable[str]) -> "Vector":
        return Vector(self.kind, self.labels | {*labels}, self.possible | {*labels})

    def or_else(self, other: "Vector") -> "Vector":
        kind = next((kind for kind in ("counter", "sum") if kind in (self.kind, other.kind)), self.kind)
        return Vector(kind, self.labels & other.labels, self.possible | other.possible)


SCALAR = Vector("scalar")


class Reading:
    """One expression, read against the series that are known."""

    def __init__(self, text: str, known: Mapping[str, Vector]) -> None:
        self.problems: list[str] = []
        self._known = known
        self.result = self._read(promql.parse(text))

    def _read(self, it: promql.Expr) -> Vector:
        match it:
            case promql.VectorSelector() | promql.MatrixSelector():
                return self._selected(_selector(it))
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                return self._read(it.expr)
            case promql.AggregateExpr():
                return self._aggregated(it)
            case promql.BinaryExpr():
                return self._combined(it)
            case promql.Call():
                return self._called(it)
        return SCALAR

    def _selected(self, it: promql.VectorSelector) -> Vector:
        series = self._known.get(it.name or "")
        if series is None:
            self.problems.append(f"no series is named {it.name}")
            return Vector("gauge")
        for matcher in it.matchers.matchers:
            self._has(series, [matcher.name], f"a matcher of {it.name}")
            values = series.values.get(matcher.name)
            if values and (wrong := _never(matcher, values)):
                self.problems.append(f"{it.name} has no {matcher.name}={wrong!r}")
        return series

    def _aggregated(self, it: promql.AggregateExpr) -> Vector:
        inner, operator = self._read(it.expr), str(it.op)
        named = it.modifier.labels if it.modifier else []
        self._has(inner, named, f"a label of {operator}")
        if operator in KEEPING:
            return inner
        without = it.modifier and it.modifier.type == promql.AggModifierType.Without
        left = inner.without(named) if without else inner.only(named)
        if operator == "count_values":
            left = left.having([it.param.val] if it.param else [])
        return replace(left, kind="gauge") if operator in COUNTS else left

    def _combined(self, it: promql.BinaryExpr) -> Vector:
        left, right, operator = self._read(it.lhs), self._read(it.rhs), str(it.op)
        if operator not in {"and", "or", "unless"} and "counter" in {left.kind, right.kind}:
            self.problems.append(f"a counter as it is on a side of {operator}")
        if SCALAR.kind in {left.kind, right.kind}:
            vector = right if left.kind == "scalar" else left
            return vector if operator in COMPARISONS or vector.kind == "scalar" else replace(vector, kind="gauge")
        if operator == "or":
            return left.or_else(right)
        self._match(it, left, right)
        if operator in {"and", "unless"}:
            return left
        return replace(_matched(it, left, right), kind=left.kind if operator in COMPARISONS else "gauge")

    def _match(self, it: promql.BinaryExpr, left: Vector, right: Vector) -> None:
        """What is matched has to be on both sides: series with other labels never meet."""
        matching = it.modifier.matching if it.modifier else None
        if matching and matching.type == promql.LabelModifierType.Include:
            self._has(left, matching.labels, f"on the left of {it.op}")
            self._has(right, matching.labels, f"on the right of {it.op}")
        elif (left.possible ^ right.possible) - {*(matching.labels if matching else [])}:
            sides = f"({', '.join(sorted(left.possible))}) and ({', '.join(sorted(right.possible))})"
            self.problems.append(f"the sides of {it.op} have different labels, {sides}: they never match")

    def _called(self, it: promql.Call) -> Vector:
        name, read = it.func.name, [self._read(argument) for argument in it.args]
        vector = next((argument for argument in read if argument.kind != "scalar"), SCALAR)
        if name in RATES and vector.kind == "gauge":
            self.problems.append(f"{name}() of a gauge")
        if name in DIFFERENCES and vector.kind != "gauge":
            self.problems.append(f"{name}() of a counter")
        if name in RATES | DIFFERENCES | COUNTS:
            return replace(vector, kind="gauge")
        if name == "histogram_quantile":
            if "le" not in vector.labels:
                self.problems.append("histogram_quantile() of what has no le")
            return vector.without(["le"])
        if name in {"absent", "absent_over_time"}:
            return Vector.of("gauge", _equalities(it.args[0]))
        if name in {"label_replace", "label_join"}:
            return vector.having([it.args[1].val])
        return {"vector": Vector("gauge"), "scalar": SCALAR}.get(name, vector)

    def _has(self, vector: Vector, labels: Iterable[str], where: str) -> None:
        self.problems += (f"{where}: there is no label {label}" for label in {*labels} - vector.possible)


def _matched(it: promql.BinaryExpr, left: Vector, right: Vector) -> Vector:
    """The labels of an operation between two vectors (https://prometheus.io/docs/prometheus/latest/querying/operators)."""
    modifier = it.modifier
    if modifier is None:
        return left
    if modifier.card == promql.VectorMatchCardinality.ManyToOne:
        return left.having(modifier.group_labels or [])
    if modifier.card == promql.VectorMatchCardinality.OneToMany:
        return right.having(modifier.group_labels or [])
    if modifier.matching is None:
        return left
    on = modifier.matching.type == promql.LabelModifierType.Include
    return left.only(modifier.matching.labels) if on else left.without(modifier.matching.labels)


def _never(matcher: promql.Matcher, values: frozenset[str]) -> str:
    """The value, or the first alternative of the regular expression, that none of the values is."""
    if matcher.op == promql.MatchOp.Equal:
        return "" if matcher.value in values else matcher.value
    if matcher.op != promql.MatchOp.Re:
        return ""
    alternatives = [matcher.value] if "(" in matcher.value else matcher.value.split("|")
    return next((it for it in alternatives if not any(re.fullmatch(it, value) for value in values)), "")


def _equalities(it: promql.Expr) -> set[str]:
    if not isinstance(it, promql.VectorSelector | promql.MatrixSelector):
        return set()
    return {matcher.name for matcher in _selector(it).matchers.matchers if matcher.op == promql.MatchOp.Equal}


def _selector(it: promql.VectorSelector | promql.MatrixSelector) -> promql.VectorSelector:
    return it.vector_selector if isinstance(it, promql.MatrixSelector) else it


def names(text: str) -> set[str]:
    """The series that an expression takes."""
    found: set[str] = set()

    def visit(it: promql.Expr) -> None:
        if isinstance(it, promql.VectorSelector | promql.MatrixSelector):
            found.add(_selector(it).name or "")

    promql.walk(promql.parse(text), visit)
    return found


def with_recorded(rules: Iterable[Rule], known: Mapping[str, Vector]) -> dict[str, Vector]:
    """What is known, and what these rules record; a series that several rules record has what they share."""
    series = dict(known)
    recording: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.record:
            recording.setdefault(rule.record, []).append(rule)
    needs = {name: {need for it in group for need in names(it.expr)} for name, group in recording.items()}
    for name in TopologicalSorter(needs).static_order():
        for place, rule in enumerate(recording.get(name, [])):
            result = Reading(rule.expr, series).result.having(rule.labels)
            kind: Kind = "sum" if name.endswith(":sum") and result.kind == "counter" else result.kind
            found = replace(result, kind=kind)
            series[name] = series[name].or_else(found) if place else found
    return series
