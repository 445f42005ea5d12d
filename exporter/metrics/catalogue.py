"""The catalogue: every metric is declared once, beside the code that fills it."""

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["gauge", "counter", "histogram"]

CATALOGUE: dict[str, "Metric"] = {}
"""Every declared metric by name."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, eq=False)
class Metric:
    """A declaration: `help` is a sentence, `labels` are names, `buckets` a histogram's upper bounds without +Inf.

    Declaring a name twice, or one against Prometheus' naming rules, is a programming error (ValueError).
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = field(default=(), repr=False)
    listed: bool = field(default=True, repr=False)
    """Whether it stands in the catalogue; those of users' own queries come and go with the configuration."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in CATALOGUE:
            raise ValueError(f"{self.name}: not a metric name, or declared twice")
        if (self.kind == "counter") != self.name.endswith("_total") or (self.kind == "histogram") != bool(self.buckets):
            raise ValueError(f"{self.name}: `_total` belongs to counters, buckets to histograms")
        if self.listed:
            CATALOGUE[self.name] = self


class Buckets(NamedTuple):
    """A histogram's value: cumulative counts for each bound and +Inf, and the sum of what was observed."""

    counts: tuple[float, ...]
    sum: float


class Sample(NamedTuple):
    """One series' value; `labels` are the label values in the order of the metric's label names."""

    metric: Metric
    labels: tuple[str, ...]
    value: float | Buckets
