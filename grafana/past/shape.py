"""Durations, which are lognormal, and histograms of them."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import erf, exp, log, sqrt
from typing import NamedTuple

from exporter.metrics.catalogue import CATALOGUE
from exporter.metrics.render import number
from grafana.past.book import Book
from grafana.past.grid import Grid


def below(value: float, median: float, spread: float) -> float:
    """The share that is below the value."""
    return (1 + erf(log(value / median) / (spread * sqrt(2)))) / 2


def mean(median: float, spread: float) -> float:
    """The mean, which a few long ones pull above the median."""
    return median * exp(spread**2 / 2)


class Observed(NamedTuple):
    """What a histogram has observed since the moment before, at each moment."""

    counts: Sequence[float]
    shares: Sequence[Sequence[float]]
    """Which part of them is below each of the bounds."""
    means: Sequence[float]


def write_histogram(book: Book, name: str, labels: Mapping[str, str], grid: Grid, observed: Observed) -> None:
    """One of the catalogue's."""
    counts, columns = observed.counts, {}
    for bound, shares in zip(CATALOGUE[name].buckets, zip(*observed.shares, strict=True), strict=True):
        columns[number(bound)] = _whole([count * share for count, share in zip(counts, shares, strict=True)])
    columns["+Inf"] = _whole(counts)
    seconds = accumulate([count * mean for count, mean in zip(counts, observed.means, strict=True)])
    book.histogram(name, labels, grid, columns, [round(total, 4) for total in seconds])


def _whole(added: Sequence[float]) -> list[int]:
    return [int(total + 0.5) for total in accumulate(added)]
