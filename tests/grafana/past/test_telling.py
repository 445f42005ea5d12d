"""Who is told of an alert, by the shipped configuration of Alertmanager."""

import pytest

from grafana.past.alerting import Episode
from grafana.past.routing import matches, route_of
from grafana.past.telling import notifications

pytestmark = pytest.mark.fast

HERE = {"environment": "production"}


def _firing(begin, end, name="HighChurn", severity="critical", **labels):
    return Episode({"alertname": name, "severity": severity, **HERE, **labels}, begin, begin, end)


def _told(*episodes, until=100_000):
    return [(it.time, it.integrations, len(it.firing), len(it.resolved)) for it in notifications(episodes, until)]


def test_a_critical_alert_goes_to_all_and_so_does_its_end():
    assert _told(_firing(1000, 1500)) == [
        (1010, ("email", "slack", "webhook"), 1, 0),
        (1550, ("email", "slack", "webhook"), 0, 1),
    ]


def test_a_warning_goes_to_slack_and_the_exporter():
    assert [integrations for _, integrations, *_ in _told(_firing(1000, 1500, severity="warning"))] == [
        ("slack", "webhook"),
        ("slack", "webhook"),
    ]


def test_an_alert_that_goes_on_is_told_again():
    assert [time for time, *_ in _told(_firing(1000, 9000))] == [1010, 4610, 8210, 9050]


def test_warnings_of_one_name_are_told_together():
    both = [_firing(1000 + at, 5000, "ProbeSlow", "warning", probe=f"probe{at}") for at in (0, 10)]

    assert [firing for _, _, firing, _ in _told(*both)] == [2, 0]


def test_critical_alerts_are_told_one_by_one():
    both = [_firing(1000, 1500, "CriticalProbeDown", probe=probe) for probe in ("api", "web")]

    assert [firing for _, _, firing, _ in _told(*both)] == [1, 1, 0, 0]


def test_a_second_outage_is_told_anew():
    assert [time for time, *_ in _told(_firing(1000, 1500), _firing(3000, 3100))] == [1010, 1550, 3010, 3130]


def test_what_the_database_explains_is_not_told_while_it_is_down():
    down = _firing(1000, 2000, "CriticalProbeDown", kind="postgres", probe="db")
    job = _firing(1100, 1900, "JobFailing", "warning", depends_on="database", task="messages")

    assert {integrations for _, integrations, *_ in _told(down, job)} == {("email", "slack", "webhook")}


def test_what_is_still_there_when_the_database_is_back_is_told_then():
    down = _firing(1000, 2000, "CriticalProbeDown", kind="postgres", probe="db")
    job = _firing(1100, 2500, "JobFailing", "warning", depends_on="database", task="messages")

    assert [time for time, integrations, *_ in _told(down, job) if integrations == ("slack", "webhook")] == [2030, 2630]


def test_an_alert_that_was_only_pending_is_told_to_nobody():
    assert notifications([Episode({"alertname": "ProbeDown", "severity": "warning"}, 1000, None, 1060)], 9000) == []


def test_nothing_is_told_after_the_end():
    assert _told(_firing(1000, 9000), until=5000)[-1][0] == 4610


def test_the_heartbeat_goes_to_the_exporter_alone_every_minute():
    times = [time for time, *_ in _told(Episode({"alertname": "Watchdog", "severity": "none"}, 0, 0, 600), until=300)]

    assert route_of({"alertname": "Watchdog"}).integrations == ("webhook",)
    assert times == [0, 60, 120, 180, 240, 300]


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ('severity="critical"', True),
        ('severity!="critical"', False),
        ('severity=~"crit.*|warning"', True),
        ('slo!=""', False),
    ],
)
def test_a_matcher_is_read_as_alertmanager_reads_it(matcher, expected):
    assert matches({"severity": "critical"}, (matcher,)) is expected


def test_a_matcher_that_cannot_be_read_is_an_error():
    with pytest.raises(ValueError, match="expected a matcher"):
        matches({}, ("severity",))
