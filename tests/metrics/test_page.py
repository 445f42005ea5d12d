"""The page: the same text as prometheus_client writes, snapshots replaced whole, families never split."""

import gzip
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.metrics.catalogue import CATALOGUE, Buckets, Metric, Sample
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.probes.base import SUCCESS  # noqa: F401  (a name that is taken)

pytestmark = pytest.mark.fast


def metric(*declaration):
    """A declaration of the tests' own: no part of the product's catalogue."""
    declared = Metric(*declaration)
    del CATALOGUE[declared.name]
    return declared


GAUGE = metric("test_gauge", "gauge", 'A "gauge" with a \\ and a\nline break.', ("zone", "name"))
COUNTER = metric("test_things_total", "counter", 'Things "counted".', ("name",))
HISTOGRAM = metric("test_seconds", "histogram", "How long.", ("name",), (0.005, 1, 2.5))
PLAIN = metric("test_plain", "gauge", "No labels.")


class Families:
    """A registry of prometheus_client with given families: the oracle."""

    def __init__(self, families):
        self._families = families

    def collect(self):
        return self._families


def oracle(gauges, counters, histograms):
    gauge = GaugeMetricFamily(GAUGE.name, GAUGE.help, labels=GAUGE.labels)
    for labels, value in gauges.items():
        gauge.add_metric(labels, value)
    counter = CounterMetricFamily(COUNTER.name, COUNTER.help, labels=COUNTER.labels)
    for name, value in counters.items():
        counter.add_metric([name], value)
    histogram = HistogramMetricFamily(HISTOGRAM.name, HISTOGRAM.help, labels=HISTOGRAM.labels)
    bounds = ["0.005", "1.0", "2.5", "+Inf"]
    for name, value in histograms.items():
        histogram.add_metric([name], list(zip(bounds, value.counts, strict=True)), value.sum)
    present = [(gauge, gauges), (histogram, histograms), (counter, counters)]
    return CollectorRegistry(), Families([family for family, values in present if values])


numbers = st.floats(allow_nan=True, allow_infinity=True)
counts = st.lists(st.integers(0, 10**9), min_size=4, max_size=4).map(
    lambda parts: tuple(float(sum(parts[: n + 1])) for n in range(4))
)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    st.dictionaries(st.tuples(names, names), numbers, max_size=4),
    st.dictionaries(names, st.floats(0, 1e18), max_size=4),
    st.dictionaries(names, st.builds(Buckets, counts, st.floats(0, 1e9)), max_size=3),
)
async def test_both_formats_are_what_prometheus_client_would_write(gauges, counters, histograms):
    store = Store(100)
    page = Page(store)
    samples = [Sample(GAUGE, labels, value) for labels, value in gauges.items()]
    samples += [Sample(COUNTER, (name,), value) for name, value in counters.items()]
    samples += [Sample(HISTOGRAM, (name,), value) for name, value in histograms.items()]

    store.replace("job", samples)
    await page.refresh()

    _, expected = oracle(gauges, counters, histograms)
    assert page.text.plain.decode() == generate_latest(expected).decode()
    assert page.openmetrics.plain.decode() == generate_openmetrics(expected).decode()
    assert gzip.decompress(page.text.gzip) == page.text.plain
    assert gzip.decompress(page.openmetrics.gzip) == page.openmetrics.plain


async def test_strict_parsers_accept_both_formats():
    store = Store(10)
    page = Page(store)
    store.replace("a", [Sample(GAUGE, ('quo"te', "back\\slash\nnew line"), math.inf), Sample(PLAIN, (), 1)])
    store.add(COUNTER, "x", amount=2)
    store.observe(HISTOGRAM, 1.0, "x")

    await page.refresh()

    read = {family.name: family for family in parse_openmetrics(page.openmetrics.plain.decode())}
    assert read["test_gauge"].samples[0].labels == {"zone": 'quo"te', "name": "back\\slash\nnew line"}
    assert read["test_things"].samples[0].value == 2
    buckets = [sample.value for sample in read["test_seconds"].samples if sample.name == "test_seconds_bucket"]
    assert buckets == [0, 1, 1, 1]
    assert {family.name for family in parse_text(page.text.plain.decode())} == {
        "test_gauge", "test_plain", "test_things", "test_seconds",
    }  # fmt: skip


async def test_a_result_replaces_the_previous_one_whole():
    store = Store(10)
    page = Page(store)
    store.replace("job", [Sample(GAUGE, ("a", "kept"), 1), Sample(GAUGE, ("a", "gone"), 1), Sample(PLAIN, (), 1)])
    await page.refresh()

    store.replace("job", [Sample(GAUGE, ("a", "kept"), 2)])
    await page.refresh()

    text = page.text.plain.decode()
    assert 'test_gauge{name="kept",zone="a"} 2.0' in text
    assert "gone" not in text
    assert "test_plain" not in text


async def test_a_family_of_many_jobs_stands_together_under_one_header():
    store = Store(10)
    page = Page(store)
    for job in ("one", "two", "three"):
        store.replace(
            job,
            [Sample(GAUGE, (job, job), 1), Sample(PLAIN, (), 1)] if job == "two" else [Sample(GAUGE, (job, job), 1)],
        )

    await page.refresh()

    lines = page.text.plain.decode().splitlines()
    assert [line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")] == ["test_gauge"] * 3 + [
        "test_plain"
    ]
    assert sum(line.startswith("# TYPE test_gauge") for line in lines) == 1


async def test_what_exceeds_the_cap_is_left_off_and_counted():
    store = Store(2)
    page = Page(store)

    store.replace("job", [Sample(GAUGE, ("z", str(number)), number) for number in range(5)])
    await page.refresh()

    text = page.text.plain.decode()
    assert text.count("test_gauge{") == 2
    assert 'chatterfy_series_dropped_total{metric="test_gauge"} 3.0' in text


async def test_a_page_without_changes_is_not_rendered_again():
    store = Store(10)
    page = Page(store)
    store.replace("job", [Sample(PLAIN, (), 1)])
    await page.refresh()
    before = page.text

    await page.refresh()

    assert page.text is before


async def test_forgetting_a_label_value_takes_its_live_series_off_the_page():
    store = Store(10)
    page = Page(store)
    for name in ("old", "new"):
        store.add(COUNTER, name)
        store.observe(HISTOGRAM, 1, name)
    await page.refresh()

    store.forget("name", "old")
    await page.refresh()

    assert 'name="old"' not in page.text.plain.decode()
    assert 'test_things_total{name="new"} 1.0' in page.text.plain.decode()


@pytest.mark.parametrize(
    ("name", "kind", "buckets"),
    [
        ("Test", "gauge", ()),
        ("chatterfy_probe_success", "gauge", ()),
        ("test_more_total", "gauge", ()),
        ("test_more", "counter", ()),
        ("test_more", "histogram", ()),
        ("test_more", "gauge", (1,)),
    ],
)
def test_a_declaration_against_the_naming_rules_is_refused(name, kind, buckets):
    with pytest.raises(ValueError, match=name):
        Metric(name, kind, "Help.", (), buckets)


async def test_half_a_surrogate_pair_costs_one_character_and_not_the_page():
    store = Store(10)
    page = Page(store)
    store.replace("it", [Sample(COUNTER, ("\ud800x",), 1)])
    await page.refresh()

    assert b'test_things_total{name="?x"} 1.0' in page.text.plain
