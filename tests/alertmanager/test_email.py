"""What an e-mail says."""

import re

import pytest

from tests.support.messages import Seen, email, slack

CASES = ["critical", "warning", "resolved", "thirty", "mixed", "hostile", "long", "long_group", "bare"]
OURS = {
    "html", "head", "meta", "title", "style", "body", "div", "p", "h1", "ul", "li", "table", "tr", "td", "a",
}  # fmt: skip


@pytest.mark.parametrize(
    ("case", "subject"),
    [
        ("critical", "🚨 CRITICAL: db is down in production. [production]"),
        ("warning", "⚠️ WARNING: The API answers slowly in staging. [staging]"),
        ("resolved", "✅ RESOLVED: db is down in production. [production]"),
        ("thirty", "⚠️ WARNING: ProbeSlow (30 firing) [production]"),
        ("mixed", "⚠️ WARNING: ProbeSlow (2 firing, 2 resolved) [production]"),
        ("bare", "⚠️ WARNING: an alert without a name [unknown]"),
    ],
)
def test_the_subject_says_it_all(case, subject):
    assert email(case)["subject"] == subject


@pytest.mark.parametrize("case", CASES)
def test_a_subject_is_one_line_of_bearable_length(case):
    assert re.fullmatch(r"\P{Cc}{1,330}".replace(r"\P{Cc}", r"[^\x00-\x1f\x7f]"), email(case)["subject"])


def test_text_and_html_say_the_same():
    message = email("critical")
    seen = Seen(message["html"])

    for said in (
        "🚨 CRITICAL",
        "db is down in production.",
        "The critical probe db (postgres) has failed for more than 30 seconds. /health answers 503.",
        "CriticalProbeDown",
        "production",
        "down",
        "2026-03-01 14:05 UTC",
    ):
        assert said in message["text"]
        assert said in seen.words
    assert list(seen.links) == ["Dashboard", "Runbook", "Silence"]
    assert all(url in message["text"] for url in seen.links.values())
    assert seen.links["Silence"] in slack("critical")["text"]


def test_of_thirty_alerts_ten_are_listed():
    message = email("thirty")
    seen = Seen(message["html"])

    assert message["html"].count("<li>") == 10
    assert message["text"].count("\n- ") == 10
    assert "and 20 more" in message["text"]
    assert "and 20 more" in seen.words


def test_what_resolved_is_marked_in_a_mixed_group():
    seen = Seen(email("mixed")["html"])

    assert "web02 is slow in production." in seen.words
    assert "✅ web01 is slow in production." in seen.words


@pytest.mark.parametrize("case", CASES)
def test_html_holds_our_own_tags_and_addresses_only(case):
    text = email(case)["html"]
    seen = Seen(text)

    assert seen.tags <= OURS
    assert "ZgotmplZ" not in text
    assert all(url.startswith("https://") for url in seen.links.values())


def test_hostile_words_are_shown_as_they_are():
    message = email("hostile")
    said = (
        '<!channel> & "quoted" | `code` ```block <https://evil.example.com|Runbook> '
        "<script>alert(1)</script> right to left 🔥 Ünïcode"
    )

    assert said in Seen(message["html"]).words
    assert said in message["text"]
    assert list(Seen(message["html"]).links) == ["Silence"]
    assert "javascript:" not in message["text"]


@pytest.mark.parametrize("case", CASES)
def test_very_long_values_are_cut(case):
    assert len(email(case)["text"]) < 5000


def test_html_adapts_to_phones_and_to_the_dark():
    text = email("critical")["html"]

    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text
    assert "max-width:600px" in text
