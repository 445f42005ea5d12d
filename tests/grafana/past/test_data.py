"""What the thirty days hold, asked of the Prometheus that remembers them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.utils import floatToGoString

from exporter.metrics.catalogue import CATALOGUE
from grafana.past import END, TARGET, Programs, prometheus
from grafana.past.memory import copy
from grafana.past.rules import alerts, groups
from grafana.past.story import DAY, DAYS, HOUR, MINUTE, Story
from tests.support.programs import program
from tests.support.series import MADE, THEIRS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

CACHE = Path(__file__).parents[3] / ".tools/past"
STORY = Story.until(END)
_DAYS = (STORY.start, STORY.end, 5 * MINUTE)
LOOKBACK = 5 * MINUTE
"""A series that ends is seen for so long."""
RESTARTED = {
    "chatterfy_alerts_received_total",
    "chatterfy_alerts_sentry_total",
    "chatterfy_posthog_events_total",
    "chatterfy_probe_failures_total",
    "chatterfy_probe_runs_total",
    "process_cpu_seconds_total",
}
"""Counters of the exporter's process that are remembered from before the deploy; process_cpu is Prometheus' too."""


class Past:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def query(self, expression: str, time: float = END) -> list[tuple[dict[str, str], float]]:
        found = await self._ask("query", query=expression, time=str(time))
        return [(it["metric"], float(it["value"][1])) for it in found]

    async def values(self, expression: str, time: float = END) -> dict[tuple[tuple[str, str], ...], float]:
        """By the series' labels, without their names."""
        return {_without_name(labels): value for labels, value in await self.query(expression, time)}

    async def times(self, expression: str, begin: int, end: int, step: int) -> dict[str, list[int]]:
        """At which moments there is a value, by alert."""
        form = {"start": str(begin), "end": str(end), "step": str(step)}
        found = await self._ask("query_range", query=expression, **form)
        return {it["metric"].get("alertname", ""): [int(time) for time, _ in it["values"]] for it in found}

    async def _ask(self, what: str, **form: str) -> list[Any]:
        async with self._session.post(f"{self._url}/api/v1/{what}", data=form) as response:
            answer = await response.json()
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])


ABSENT = {"chatterfy_ingest_spool_oldest_timestamp_seconds"}
"""What is not there at the end: nothing waits."""


def _without_name(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((label, value) for label, value in labels.items() if label != "__name__"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def past() -> AsyncIterator[Past]:
    programs = Programs(program("prometheus"), program("promtool"))
    async with prometheus(programs=programs, cache=CACHE) as url, aiohttp.ClientSession() as session:
        yield Past(url, session)


def _expected() -> dict[str, set[str]]:
    """The labels of each series of the catalogue."""
    found: dict[str, set[str]] = {}
    for name, metric in CATALOGUE.items():
        labels = {*metric.labels, *TARGET}
        if metric.kind == "histogram":
            found |= {f"{name}_sum": labels, f"{name}_count": labels, f"{name}_bucket": labels | {"le"}}
        else:
            found[name] = labels
    return found


async def test_every_metric_of_the_catalogue_is_there_at_the_end_with_its_labels(past):
    shown: dict[str, set[frozenset[str]]] = {}
    for labels, _ in await past.query('{__name__=~"(chatterfy|process|python)_.*", job="chatterfy-exporter"}'):
        shown.setdefault(labels["__name__"], set()).add(frozenset(labels) - {"__name__"})

    assert shown == {name: {frozenset(labels)} for name, labels in _expected().items() if name not in ABSENT}


async def test_the_buckets_are_the_catalogue_s(past):
    for name, metric in CATALOGUE.items():
        if metric.kind == "histogram":
            found = await past.query(f"count by (le) ({name}_bucket)")

            bounds = {floatToGoString(bound) for bound in (*metric.buckets, float("inf"))}
            assert {labels["le"] for labels, _ in found} == bounds, name


async def test_what_prometheus_and_alertmanager_say_of_themselves_is_there(past):
    for name, (_, labels) in THEIRS.items():
        found = await past.query(name)

        assert found, name
        assert all(set(series) == {"__name__", *labels, *TARGET} for series, _ in found), name
    for name in MADE:
        assert await past.query(name), name


async def test_every_job_is_up_for_all_thirty_days(past):
    found = await past.query(f"count_over_time(up[{DAYS}d]) and min_over_time(up[{DAYS}d]) == 1")

    assert {labels["job"] for labels, _ in found} == {"chatterfy-exporter", "prometheus", "alertmanager"}
    assert {count for _, count in found} == {DAYS * 1440 + 1}


@pytest.mark.parametrize("moment", [STORY.end, STORY.climb[0] + 8 * MINUTE], ids=["end", "incident"])
async def test_a_recorded_series_is_what_its_rule_makes_of_the_rest(past, moment):
    for rule in (rule for group in groups() for rule in group.rules if rule.record):
        own = ",".join(f'{label}="{value}"' for label, value in rule.labels.items())
        expected = {
            _without_name(dict(labels) | rule.labels): value
            for labels, value in (await past.values(rule.expr, moment)).items()
        }

        assert await past.values(f"{rule.record}{{{own}}}", moment) == pytest.approx(expected), rule
        assert expected or moment != STORY.end, rule


@pytest.mark.parametrize("moment", [STORY.end, STORY.climb[0] + 8 * MINUTE, STORY.down[0] + 8 * MINUTE])
async def test_an_alert_is_there_where_its_rule_finds_something(past, moment):
    for rule in alerts():
        found = await past.query(rule.expr, moment)
        firing = await past.query(f'ALERTS{{alertname="{rule.alert}"}}', moment)
        since = await past.values(f'ALERTS_FOR_STATE{{alertname="{rule.alert}"}}', moment)

        expected = {_without_name(labels | rule.labels | {"alertname": rule.alert}) for labels, _ in found}
        shown = {_without_name({it: labels[it] for it in labels if it != "alertstate"}) for labels, _ in firing}
        assert expected <= shown, rule
        assert expected <= since.keys(), rule


async def test_at_the_end_all_is_well_but_for_what_takes_longer(past):
    found = await past.query('ALERTS{severity!="none"}')

    assert sorted((labels["alertname"], labels["alertstate"], labels["severity"]) for labels, _ in found) == [
        ("CertificateExpiring", "firing", "warning"),
        ("SloBurnRateSlow", "firing", "warning"),
    ]


@pytest.mark.parametrize(
    ("selector", "begin", "end"),
    [
        ('alertname="CriticalProbeDown", probe="db"', STORY.down[0], STORY.down[1] + MINUTE),
        ('alertname="DatabaseConnectionsHigh"', STORY.climb[0], STORY.down[0] + MINUTE),
        ('alertname="ErrorShareHigh"', STORY.climb[0], STORY.recovery[1]),
        ('alertname="HighErrorCount"', STORY.climb[0], STORY.recovery[1] + 5 * MINUTE),
        ('alertname="SlowResponses"', STORY.climb[0], STORY.recovery[1] + 5 * MINUTE),
        ('alertname="SloBurnRateFast", slo="uptime"', STORY.down[0], STORY.down[1] + HOUR),
        ('alertname="AlertmanagerNotificationFailures", integration="slack"', STORY.climb[0], STORY.down[1]),
        ('alertname="HighChurn"', STORY.churn[0], STORY.churn[1] + HOUR + 5 * MINUTE),
        ('alertname="ProbeSlow", probe="stripe"', STORY.slow[0], STORY.flapping[1]),
        ('alertname="ProbeFlapping", probe="stripe"', STORY.flapping[0], STORY.flapping[1] + 15 * MINUTE),
    ],
)
async def test_what_happens_fires_its_alert_then_and_only_then(past, selector, begin, end):
    found = await past.times(f'max by (alertname) (ALERTS{{{selector}, alertstate="firing"}})', *_DAYS)

    (moments,) = found.values()
    assert begin <= moments[0]
    assert moments[-1] <= end + LOOKBACK


async def test_nothing_critical_fires_that_the_story_does_not_tell(past):
    found = await past.times('max by (alertname) (ALERTS{severity="critical", alertstate="firing"})', *_DAYS)

    assert found.keys() == {
        "CriticalProbeDown", "ErrorShareHigh", "HighChurn", "HighErrorCount", "SloBurnRateFast",
    }  # fmt: skip


async def test_who_was_told_is_counted(past):
    told = "sum by (integration) (increase(alertmanager_notifications_total[6h])) > 0"

    assert {labels["integration"] for labels, _ in await past.query(told)} == {"email", "slack", "webhook"}
    assert await past.query("max_over_time(alertmanager_alerts{state='suppressed'}[6h]) > 5")
    assert await past.query("time() - chatterfy_alert_pipeline_last_seen_timestamp_seconds < 180")


async def test_counters_fall_at_the_deploy_alone_and_only_those_of_the_process(past):
    names = await past.query('count by (__name__) ({__name__=~".+_(total|bucket|count|sum)", __name__!~".+:.+"})')
    fallen = set()
    for name in [labels["__name__"] for labels, _ in names]:
        all_of_it = await past.query(f"resets({name}[{DAYS}d]) > 0")
        since = await past.query(f"resets({name}[190h]) > 0")
        fallen |= {name} if all_of_it else set()

        assert since == [], name
        assert all(count == 1 for _, count in all_of_it), name
    assert fallen == RESTARTED


async def test_histograms_are_cumulative_and_agree_with_their_count(past):
    names = await past.query('count by (__name__) ({__name__=~"(chatterfy|alertmanager)_.+_bucket"})')
    for name in [labels["__name__"].removesuffix("_bucket") for labels, _ in names]:
        for moment in (STORY.end, STORY.down[0], STORY.end - 30 * HOUR):
            rows: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
            for labels, value in await past.query(f"{name}_bucket", moment):
                bound = float(labels.pop("le"))
                rows.setdefault(_without_name(labels), []).append((bound, value))
            counts = await past.values(f"{name}_count", moment)

            assert all(
                list(zip(*sorted(row), strict=True))[1] == tuple(sorted(it for _, it in row)) for row in rows.values()
            )
            assert {labels: max(row)[1] for labels, row in rows.items()} == counts
            assert counts


@pytest.mark.parametrize("metric", ["chatterfy_http_requests_total", "chatterfy_http_request_duration_seconds_count"])
@pytest.mark.parametrize(
    ("back", "step", "window"), [(6 * HOUR, 15, "1m"), (DAY, MINUTE, "75s"), (7 * DAY, 5 * MINUTE, "315s")]
)
async def test_a_rate_has_no_gaps_in_the_windows_that_grafana_takes(past, metric, back, step, window):
    found = await past.times(f"sum (rate({metric}[{window}]))", STORY.end - back, STORY.end, step)

    assert [len(times) for times in found.values()] == [back // step + 1]


async def test_means_over_thirty_days_weigh_each_minute_the_same(past):
    outage = (STORY.down[1] - STORY.down[0]) / (DAYS * DAY)

    for series in ('chatterfy_probe_success{probe="db"}', "environment:chatterfy_up:min"):
        ((_, mean),) = await past.query(f"avg_over_time({series}[{DAYS}d])")
        assert 1 - mean == pytest.approx(outage, rel=0.05)


async def test_a_copy_of_what_was_filled_takes_no_program(past, tmp_path):
    await copy(CACHE, tmp_path / "data", END, Programs("no prometheus", "no promtool"))

    assert list((tmp_path / "data").glob("*/meta.json"))


async def test_what_comes_while_the_database_is_down_waits_and_then_goes_in(past):
    begin, end = STORY.down
    rows = await past.values("max_over_time(chatterfy_ingest_spool_rows[30m])", end + 15 * MINUTE)
    spooled = 'sum(increase(chatterfy_ingest_kept_rows_total{where="spool"}[30m]))'
    kept = await past.query(spooled, end + 10 * MINUTE)
    waited = await past.query("time() - chatterfy_ingest_spool_oldest_timestamp_seconds", end)

    assert min(rows.values()) > 50
    assert kept[0][1] == pytest.approx(max(rows.values()), rel=0.2)
    assert waited[0][1] == pytest.approx(end - begin, abs=MINUTE)
    assert await past.query("chatterfy_ingest_spool_rows == 0", end + 2 * MINUTE)
    assert await past.query("chatterfy_ingest_spool_rows == 0", begin - MINUTE)


async def test_no_more_is_refused_by_others_than_goes_to_them(past):
    for vendor in ("sentry", "posthog"):
        lost = f"sum(rate(chatterfy_{vendor}_forward_failures_total[10m]))"
        found = await past.query(f"max_over_time(({lost} / sum(rate(chatterfy_{vendor}_forwards_total[10m])))[1d:1m])")

        assert 0 < found[0][1] < 1


async def test_the_incident_is_felt_by_users_and_reported_by_the_apps(past):
    answered = "histogram_quantile(0.95, sum by (le) (rate(chatterfy_chat_response_seconds_bucket[5m])))"
    reported = 'sum(rate(chatterfy_sentry_events_total{level="error"}[5m]))'
    for asked in (answered, reported):
        ((_, before),) = await past.query(asked, STORY.climb[0] - 10 * MINUTE)
        ((_, then),) = await past.query(asked, STORY.climb[1])

        assert then > 3 * before


async def test_deploys_of_both_environments_are_told_of(past):
    found = await past.query("max by (version, environment) (max_over_time(chatterfy_deploy_timestamp_seconds[30d]))")
    moments = {labels["version"]: value for labels, value in found if labels["environment"] == "production"}

    assert moments == STORY.deploys
    assert {labels["environment"] for labels, _ in found} == {"production", "staging"}
