"""What the toy's browsers post: plausible vitals, answers as slow as the API is, and captures for PostHog."""

import json
from random import Random
from statistics import median

import pytest

from exporter.demo.catalogue import MODELS, PAGES
from exporter.demo.notes import Notes
from exporter.demo.outages import Outage
from exporter.demo.pages import Pages
from exporter.demo.posting import Endpoints, Post

pytestmark = pytest.mark.fast

ORIGIN = "http://localhost:3000"
ENDPOINTS = Endpoints("http://127.0.0.1:9878", None, ORIGIN, "http://demo@127.0.0.1/1", "demo")
NOW = 1_800_000_000.0


def pages(*broken: Outage) -> Pages:
    return Pages(ENDPOINTS, Random(1), broken)


def said(post: Post):
    return json.loads(post.body)


def answers(*broken: Outage) -> list[float]:
    """How long the same users waited."""
    notes, browsers = Notes(), pages(*broken)
    for model in MODELS:
        notes.event("chat_message", orgId="o", provider=model.provider, model=model.name, tokens=5)
    return [said(browsers.done(event, NOW)[0])[0]["value"] for event in notes.events]


def test_a_page_that_was_opened_sends_its_vitals_in_one_beacon_and_is_captured():
    browsers = pages()
    beacons, captures = zip(*(browsers.opened(NOW) for _ in range(500)), strict=True)

    assert {(post.path, post.headers["Origin"]) for post in beacons} == {("/v1/beacon", ORIGIN)}
    loads = [{vital["name"]: vital["value"] for vital in said(post)} for post in beacons]
    assert all(load.keys() == {"TTFB", "FCP", "LCP", "INP", "CLS"} for load in loads)
    assert all(0 < load["TTFB"] < load["FCP"] < load["LCP"] < 20_000 for load in loads)
    assert 1200 < median(load["LCP"] for load in loads) < 2200
    assert 0 < median(load["CLS"] for load in loads) < 0.1
    # Each chat has a path of its own, as in a browser.
    assert len({vital["page"] for post in beacons for vital in said(post)}) > len(set(PAGES))
    assert {(post.path, said(post)[0]["event"]) for post in captures} == {("/ingest/e/", "$pageview")}


def test_users_wait_some_seconds_for_an_answer_and_longer_when_the_api_is_slow():
    assert 1000 < median(answers()) < 5000
    assert max(answers()) < 30_000
    assert min(answers(Outage.SLOW)) > 5500


@pytest.mark.parametrize(
    ("event", "captured"),
    [
        ("chat_message", ["chat_message_sent"]),
        ("subscription_created", ["subscription_upgrade"]),
        ("file_upload", ["file_uploaded"]),
        ("user_signup", []),
    ],
)
def test_posthog_is_told_of_what_the_pages_tell_it(event, captured):
    notes = Notes()
    notes.event(event, provider="google", model="gemini-flash")
    posts = [said(post) for post in pages().done(notes.events[0], NOW) if post.path == "/ingest/e/"]

    assert [posted[0]["event"] for posted in posts] == captured
