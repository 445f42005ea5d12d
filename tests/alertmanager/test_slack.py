"""What Slack shows."""

import json
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.support.messages import data, slack

CASES = ["critical", "warning", "resolved", "thirty", "mixed", "hostile", "long", "long_group", "bare"]
LINK = re.compile(r"<([^<>|]*)\|([^<>|]*)>")


def links(case):
    return {name: url for url, name in LINK.findall(slack(case)["text"])}


def test_one_critical_alert_says_what_broke_where_and_since_when():
    message = slack("critical")

    assert message["pretext"] == "🚨 CRITICAL: db is down in production."
    assert message["fallback"] == message["pretext"]
    assert message["color"] == "danger"
    assert message["Type"] == "CriticalProbeDown"
    assert message["Environment"] == "production"
    assert message["Value"] == "down"
    assert message["Since"] == "2026-03-01 14:05 UTC"
    assert message["text"].startswith("The critical probe db (postgres) has failed for more than 30 seconds.")
    assert message["text"].splitlines()[1].count(" · ") == 2


def test_its_links_lead_to_dashboard_runbook_and_a_silence_of_this_group():
    found = links("critical")
    silence = urlsplit(found["Silence"])
    (matchers,) = parse_qs(urlsplit(silence.fragment).query)["filter"]

    assert list(found) == ["Dashboard", "Runbook", "Silence"]
    assert found["Dashboard"] == "https://grafana.example.com/d/chatterfy-dependencies"
    assert found["Runbook"] == "https://exporter.example.com/runbooks/CriticalProbeDown"
    assert silence.netloc == "alertmanager.example.com"
    assert silence.fragment.startswith("/silences/new?")
    assert matchers == (
        '{alertname="CriticalProbeDown", environment="production", instance="exporter:9877", probe="db"}'
    )


def test_a_warning_looks_like_one_and_its_time_is_in_utc():
    message = slack("warning")

    assert message["pretext"] == "⚠️ WARNING: The API answers slowly in staging."
    assert message["color"] == "warning"
    assert message["Value"] == "6.3 s"
    assert message["Since"] == "2026-03-02 02:59 UTC"


def test_what_is_over_says_so_and_until_when():
    message = slack("resolved")

    assert message["pretext"] == "✅ RESOLVED: db is down in production."
    assert message["color"] == "good"
    assert message["Since"] == "2026-03-01 14:05 UTC to 2026-03-01 14:21 UTC"


def test_of_thirty_alerts_ten_are_shown_and_the_rest_is_counted():
    message = slack("thirty")
    lines = message["text"].splitlines()

    assert message["pretext"] == "⚠️ WARNING: ProbeSlow (30 firing)"
    assert message["Value"] == "30 firing"
    assert message["Since"] == "2026-03-01 14:01 UTC"
    assert lines[0] == "*30 firing*"
    assert lines[1] == "• web01 is slow in production. (3.1 s, since 2026-03-01 14:01 UTC)"
    assert [line[:7] for line in lines[1:11]] == [f"• web{number:02}" for number in range(1, 11)]
    assert lines[11] == "and 20 more"
    assert list(links("thirty")) == ["Dashboard", "Runbook", "Silence"]
    assert len(lines) == 13


def test_in_a_mixed_group_what_fires_stands_first():
    message = slack("mixed")

    assert message["pretext"] == "⚠️ WARNING: ProbeSlow (2 firing, 2 resolved)"
    assert message["color"] == "warning"
    assert message["Since"] == "2026-03-01 14:02 UTC"
    assert [line[:9] for line in message["text"].splitlines()[1:5]] == [
        "• web02 i",
        "• web03 i",
        "• ✅ web01",
        "• ✅ web04",
    ]


@pytest.mark.parametrize("case", CASES)
def test_nothing_but_our_own_links_is_a_link_or_a_mention(case):
    message = slack(case)
    without = {name: LINK.sub("", text) for name, text in message.items()}

    assert {*links(case)} <= {"Dashboard", "Runbook", "Silence"}
    assert all(url.startswith("https://") for url in links(case).values())
    assert not [text for text in without.values() if re.search(r"[<>`]|&(?!amp;|lt;|gt;)", text)]


def test_values_stay_on_one_line_and_are_otherwise_unchanged():
    message = slack("hostile")
    said = message["pretext"].removeprefix("⚠️ WARNING: ")

    assert len(message["text"].splitlines()) == 2
    assert said == (
        "&lt;!channel&gt; &amp; \"quoted\" | 'code' '''block &lt;https://evil.example.com|Runbook&gt; "
        "&lt;script&gt;alert(1)&lt;/script&gt; right to left 🔥 Ünïcode"
    )
    assert message["Value"] == "100 %|&lt;!everyone&gt;"
    assert message["Environment"] == 'a"b\\c &amp; &lt;!here&gt; d+e'


def test_an_address_that_is_none_is_left_out():
    assert list(links("hostile")) == ["Silence"]


def test_the_silence_of_hostile_labels_is_theirs_to_the_letter():
    query = links("hostile")["Silence"].partition("?filter=")[2]

    assert "+" not in query
    assert unquote(query) == (
        '{alertname="EndpointErrorShareHigh", environment='
        + json.dumps(data("hostile")["groupLabels"]["environment"])
        + "}"
    )


@pytest.mark.parametrize("case", CASES)
def test_a_message_stays_within_what_slack_takes(case):
    message = slack(case)

    assert len(message["text"]) < 3000
    assert len(message["pretext"]) < 400
    assert max(len(message[field]) for field in ("Type", "Environment", "Value", "Since")) <= 101


@pytest.mark.parametrize("case", ["long", "long_group"])
def test_what_is_too_long_ends_in_dots_and_never_inside_of_an_escape(case):
    message = slack(case)

    assert "…" in message["text"]
    assert not re.search(r"&[a-z]*…", message["text"] + message["pretext"] + message["Value"])


def test_addresses_of_two_hundred_and_fifty_characters_are_links_and_longer_ones_are_not():
    assert list(links("long_group")) == ["Dashboard", "Runbook", "Silence"]
    assert list(links("long")) == ["Dashboard", "Silence"]


def test_a_silence_whose_address_would_be_too_long_leads_to_the_alerts():
    assert links("long")["Silence"] == "https://alertmanager.example.com/#/alerts"


def test_an_alert_without_annotations_and_name_is_still_a_message():
    message = slack("bare")

    assert message["pretext"] == "⚠️ WARNING: an alert without a name"
    assert message["Type"] == "several alerts"
    assert message["Environment"] == "unknown"
    assert message["Value"] == "unknown"
    assert list(links("bare")) == ["Silence"]
