"""Samples to lines of the exposition formats; the lines are the same in both, only the headers differ."""

from collections.abc import Callable
from functools import lru_cache

from prometheus_client import utils

from exporter.metrics.catalogue import Buckets, Metric, Sample

number: Callable[[float], str] = utils.floatToGoString
"""A value as Prometheus' own libraries write it."""

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def header(metric: Metric, *, openmetrics: bool) -> str:
    """HELP and TYPE. OpenMetrics names a counter's family without `_total`, and escapes quotes in the help text too.

    https://prometheus.io/docs/specs/om/open_metrics_spec/ and
    https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    if openmetrics:
        name, text = metric.name.removesuffix("_total"), metric.help.translate(_ESCAPES)
    else:
        name, text = metric.name, metric.help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {metric.kind}\n"


def lines(sample: Sample) -> str:
    """The sample's line, or a histogram's lines; labels in alphabetical order."""
    metric, labels, value = sample
    braces = _braces(metric.labels, labels)
    if not isinstance(value, Buckets):
        return f"{metric.name}{braces} {number(value)}\n"
    parts = [
        f"{metric.name}_bucket{_braces((*metric.labels, 'le'), (*labels, bound))} {number(count)}\n"
        for bound, count in zip(_bounds(metric), value.counts, strict=True)
    ]
    parts.append(f"{metric.name}_count{braces} {number(value.counts[-1])}\n")
    parts.append(f"{metric.name}_sum{braces} {number(value.sum)}\n")
    return "".join(parts)


@lru_cache(maxsize=4096)
def _bounds(metric: Metric) -> tuple[str, ...]:
    return (*map(number, metric.buckets), "+Inf")


@lru_cache(maxsize=4096)
def _template(names: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    """Braces with a place for each value, and the order in which the values go there: that of their names."""
    order = tuple(sorted(range(len(names)), key=names.__getitem__))
    pairs = ",".join(f'{names[place]}="%s"' for place in order)
    return f"{{{pairs}}}" if names else "", order


def _braces(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    template, order = _template(names)
    escaped = [_escaped(value) for _, value in zip(names, values, strict=True)]
    return template % tuple([escaped[place] for place in order])


def _escaped(value: str) -> str:
    # translate() costs as much as the rest of the line, and hardly any value needs it.
    return value.translate(_ESCAPES) if "\\" in value or "\n" in value or '"' in value else value
