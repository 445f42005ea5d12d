"""What is not sent while something else says it already, as a real Alertmanager decides."""

import asyncio
import re

import pytest

from tests.support.alertmanager import alertmanager, configuration

PRODUCTION = {"environment": "production"}
DOWN = {"alertname": "CriticalProbeDown", "severity": "critical"}
DATABASE = DOWN | PRODUCTION | {"kind": "postgres", "probe": "db"}
API = DOWN | PRODUCTION | {"kind": "http", "probe": "api"}
ELSEWHERE = API | {"environment": "staging"}
CERTIFICATE = {"alertname": "CertificateExpiringSoon", "probe": "tls", "severity": "critical"} | PRODUCTION
BURN = {"alertname": "SloBurnRateFast", "slo": "uptime", "severity": "critical"} | PRODUCTION
SHARE = {"alertname": "ErrorShareHigh", "severity": "critical"} | PRODUCTION
EXPORTER = {"alertname": "ExporterDown", "severity": "critical"} | PRODUCTION
SOURCES = [DATABASE, API, ELSEWHERE, CERTIFICATE, BURN, SHARE, EXPORTER]


def warning(name, **labels):
    return {"alertname": name, "severity": "warning"} | PRODUCTION | labels


SILENCED = [
    warning("SlowResponses", depends_on="database"),
    warning("NoMessages", depends_on="database") | {"severity": "critical"},
    *(
        warning(name, probe="db")
        for name in ("ProbeSlow", "ProbeFlapping", "DatabaseConnectionsHigh", "LongTransaction")
    ),
    warning("ProbeSlow", probe="api"),
    warning("ProbeSlow", probe="api", environment="staging"),
    warning("CertificateExpiring", probe="tls"),
    warning("SloBurnRateSlow", slo="uptime"),
    warning("EndpointErrorShareHigh", endpoint="/v1/chat"),
    *(warning(name, task="x") for name in ("SloMetricsAbsent", "JobStale", "JobFailing", "AlertPipelineStale")),
]
HEARD = [
    *SOURCES,
    warning("SlowResponses", depends_on="database", environment="staging"),
    warning("SlowResponses"),
    warning("ProbeSlow", probe="web"),
    warning("ProbeSlow", probe="db", environment="staging"),
    warning("ProbeDown", probe="db"),
    warning("CertificateExpiring", probe="web"),
    warning("SloBurnRateSlow", slo="api-latency"),
    warning("EndpointErrorShareHigh", endpoint="/v1/chat", environment="staging"),
    warning("JobStale", task="x", environment="staging"),
]


def without(label, alerts):
    """Those that have the label, in an environment of their own, and without it."""
    moved = [it | {"environment": "elsewhere"} for it in alerts if label in it]
    return [{name: value for name, value in it.items() if name != label} for it in moved]


def quiet(settings):
    """The same routes and rules, with receivers that send nothing."""
    receivers = [{"name": receiver["name"]} for receiver in settings["receivers"]]
    return {"route": settings["route"], "inhibit_rules": settings["inhibit_rules"], "receivers": receivers}


def ordered(alerts):
    return sorted(sorted(labels.items()) for labels in alerts)


async def inhibited(it, at_least):
    """The labels of what is inhibited, once that is as much as is expected."""
    async with asyncio.timeout(20):
        while True:
            found = [alert["labels"] for alert in await it.alerts() if alert["status"]["inhibitedBy"]]
            if len(found) >= at_least:
                return found
            await asyncio.sleep(0.05)


async def test_what_follows_from_an_outage_is_not_sent_and_the_rest_is(tmp_path):
    async with alertmanager(tmp_path, quiet(configuration())) as it:
        await it.post(*HEARD, *SILENCED)
        found = await inhibited(it, len(SILENCED))

    assert ordered(found) == ordered(SILENCED)


@pytest.mark.parametrize("label", ["environment", "probe", "slo"])
async def test_alerts_that_both_lack_a_label_have_nothing_to_do_with_each_other(tmp_path, label):
    async with alertmanager(tmp_path, quiet(configuration())) as it:
        await it.post(*without(label, SOURCES), *without(label, SILENCED))
        await it.post(*HEARD, *SILENCED)
        found = await inhibited(it, len(SILENCED))

    assert ordered(found) == ordered(SILENCED)


@pytest.mark.fast
def test_every_source_has_the_labels_that_it_shares():
    for rule in configuration()["inhibit_rules"]:
        required = {re.split("=|!=", it)[0] for it in rule["source_matchers"] if re.search('^[a-z]+(="[^"]|!="")', it)}

        assert {*rule["equal"]} <= required
