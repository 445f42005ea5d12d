"""The exporter's own process: memory, CPU, file descriptors and garbage collection, as prometheus_client reads them."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.metrics_core import Metric as Family

from exporter.metrics.catalogue import CATALOGUE, Metric, Sample

_COLLECTORS = (ProcessCollector(registry=CollectorRegistry()), GCCollector(registry=CollectorRegistry()))


def _families() -> Iterator[Family]:
    for collector in _COLLECTORS:
        yield from collector.collect()


def _declare(family: Family) -> None:
    labels = tuple(family.samples[0].labels)
    if family.type == "counter":
        Metric(f"{family.name}_total", "counter", f"{family.documentation.rstrip('.')}.", labels)
    else:
        Metric(family.name, "gauge", f"{family.documentation.rstrip('.')}.", labels)


for _family in _families():
    _declare(_family)


def process_samples() -> list[Sample]:
    """Reads /proc/self and the garbage collector's counts: about 0.1 ms."""
    return [
        Sample(CATALOGUE[sample.name], tuple(sample.labels.values()), sample.value)
        for family in _families()
        for sample in family.samples
    ]
