"""Rows of a query to samples: NULLs, caps, filled label sets, histograms."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

from exporter.business.query import Query
from exporter.business.state import Key, Totals
from exporter.errors import Failed
from exporter.metrics.catalogue import Buckets, Sample
from exporter.metrics.labels import OTHER

SUM = "sum"
STAYS = Decimal("1.25")
"""A label set that was shown counts for a quarter more when the largest are chosen, so that two do not take turns."""


def totals(query: Query, rows: Iterable[Sequence[Any]]) -> Totals:
    """Sums of a statement's rows by label set and value column; raises Failed for a NULL where that is an error."""
    width = len(query.header.labels)
    sums: Totals = {}
    for row in rows:
        labels, values = tuple(row[:width]), row[width:]
        if query.kind == "histogram":
            bucket, count, total = values
            pairs = [(str(bucket), count), (SUM, total)]
        else:
            columns = zip(query.columns, values, strict=True)
            pairs = [(column, value) for column, value in columns if _counts(query, value)]
        for column, value in pairs:
            key = (*labels, column)
            sums[key] = sums.get(key, Decimal(0)) + _number(query, value)
    return sums


def _number(query: Query, value: Any) -> Decimal:
    try:
        number = Decimal(value or 0)
    except (TypeError, ArithmeticError) as error:
        raise Failed("query", f"{query.name} gave a value that is no number: {value!r:.80}") from error
    if not number.is_finite():  # NaN and Infinity would spoil a sum for good
        raise Failed("query", f"{query.name} gave a value that is no number: {value!r}")
    return number


def _counts(query: Query, value: object) -> bool:
    if value is None and query.header.null == "fail":
        raise Failed("query", f"{query.name} gave a value that is NULL")
    return value is not None or query.header.null == "zero"


def filled(query: Query, values: Mapping[Key, Decimal]) -> Totals:
    """With 0 for every declared label set that has no row; a metric without labels always has a value."""
    declared = product(*(query.header.fill.get(label, ()) for label in query.header.labels))
    buckets = range(len(query.header.buckets) + 1)
    columns = (SUM, *map(str, buckets)) if query.kind == "histogram" else query.columns
    zeros = {(*labels, column): Decimal(0) for labels in declared for column in columns}
    return {**zeros, **values}


def first_come(query: Query, values: Mapping[Key, Decimal], known: set[tuple[str, ...]]) -> tuple[Totals, int]:
    """Counters: label sets are admitted first come and stay (`known` grows); the rest adds up to `other`.

    Returns the folded values and the number of label sets that were folded.
    """
    folded: Totals = {}
    dropped = set()
    for key, value in values.items():
        labels = key[:-1]
        if labels not in known and len(known) >= query.header.cap and not _is_other(labels):
            dropped.add(labels)
            labels = (OTHER,) * len(labels)
        known.add(labels)
        folded[*labels, key[-1]] = folded.get((*labels, key[-1]), Decimal(0)) + value
    return folded, len(dropped)


def largest(query: Query, values: Mapping[Key, Decimal], shown: set[tuple[str, ...]]) -> tuple[Totals, int]:
    """Gauges: the largest label sets, and `other` with the sum of the rest; those `shown` before have an advantage."""
    weight: dict[tuple[str, ...], Decimal] = {}
    for key, value in values.items():
        weight[key[:-1]] = weight.get(key[:-1], Decimal(0)) + abs(value)
    if len(weight) <= query.header.cap:
        return dict(values), 0
    ranked = sorted(weight, key=lambda labels: weight[labels] * (STAYS if labels in shown else 1), reverse=True)
    kept = set(ranked[: query.header.cap])
    folded: Totals = {}
    for key, value in values.items():
        labels = key[:-1] if key[:-1] in kept else (OTHER,) * (len(key) - 1)
        folded[*labels, key[-1]] = folded.get((*labels, key[-1]), Decimal(0)) + value
    return folded, len(weight) - len(kept)


def samples(query: Query, values: Mapping[Key, Decimal]) -> list[Sample]:
    """Samples of the query's metrics, in the order of their label sets."""
    if query.kind == "histogram":
        ((metric, _),) = query.metrics
        sets = sorted({key[:-1] for key in values})
        return [Sample(metric, labels, _buckets(labels, values, len(query.header.buckets))) for labels in sets]
    by_column = {column: metric for metric, column in query.metrics}
    return [Sample(by_column[key[-1]], key[:-1], float(value)) for key, value in sorted(values.items())]


def _buckets(labels: tuple[str, ...], values: Mapping[Key, Decimal], bounds: int) -> Buckets:
    running, counts = Decimal(0), []
    for place in range(bounds + 1):
        running += values.get((*labels, str(place)), Decimal(0))
        counts.append(float(running))
    return Buckets(tuple(counts), float(values.get((*labels, SUM), Decimal(0))))


def _is_other(labels: tuple[str, ...]) -> bool:
    return all(label == OTHER for label in labels)
