"""Which alert goes to whom, as amtool reads it."""

import re

import pytest

from tests.support.alertmanager import CONFIG, amtool, configuration
from tests.support.rules import alerts

RECEIVER = {"critical": "critical", "warning": "warning", "info": "none", "none": "heartbeat"}
TABLE = [
    ({"alertname": "Watchdog", "severity": "none"}, "heartbeat"),
    ({"alertname": "Anything", "severity": "critical"}, "critical"),
    ({"alertname": "Anything", "severity": "warning"}, "warning"),
    ({"alertname": "Anything", "severity": "info"}, "none"),
    ({"alertname": "Anything", "severity": "page"}, "warning"),
    ({"alertname": "Anything"}, "warning"),
]


def routed(labels, *flags):
    pairs = [f"{name}={value}" for name, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={CONFIG}", *flags, *pairs)


@pytest.mark.parametrize(("labels", "receiver"), TABLE)
def test_an_alert_goes_by_its_severity(labels, receiver):
    assert routed(labels).split() == [receiver]


def test_every_alert_of_the_rules_goes_by_its_severity():
    ours = alerts()
    went = {rule.alert: routed({"alertname": rule.alert} | rule.labels).split() for rule in ours}

    assert ours
    assert went == {rule.alert: [RECEIVER[rule.labels["severity"]]] for rule in ours}


def test_every_receiver_and_every_route_is_reached():
    ours = configuration()
    reached = "".join(routed(labels, "--tree") for labels, _ in TABLE)
    matchers = {matcher for route in ours["route"]["routes"] for matcher in route["matchers"]}

    assert {receiver for _, receiver in TABLE} == {receiver["name"] for receiver in ours["receivers"]}
    assert set(re.findall(r"\{(.*)\}", reached)) == matchers
    assert "default-route  receiver: warning" in reached


def test_a_second_outage_has_a_message_of_its_own():
    (critical,) = [route for route in configuration()["route"]["routes"] if route["receiver"] == "critical"]

    assert {"environment", "alertname", "probe", "slo", "endpoint", "instance", "task"} == {*critical["group_by"]}
    assert critical["group_wait"] == "10s"
