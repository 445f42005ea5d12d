"""What browsers tell: how long chats and pages took, and what PostHog is told."""

from collections.abc import Mapping
from typing import NamedTuple

from exporter.demo.catalogue import MODELS, Model
from exporter.ingest.beacon.measures import MOST
from exporter.metrics.catalogue import CATALOGUE
from exporter.metrics.labels import OTHER
from exporter.relay.posthog.counts import OWN
from exporter.relay.posthog.upstream import REASONS
from grafana.past.book import TARGET, Book
from grafana.past.business import MESSAGES, parts_of, share_of
from grafana.past.chance import Wave
from grafana.past.counting import Counting, Rate
from grafana.past.grid import PLAIN
from grafana.past.pace import Pace
from grafana.past.shape import Observed, below, mean, write_histogram
from grafana.past.story import DAY, within

CHAT, SECONDS, SCORE = "chatterfy_chat_response_seconds", "chatterfy_web_vital_seconds", "chatterfy_web_vital_score"
ANSWERS: Mapping[str, float] = {
    "gpt-4o": 1.05,
    "gpt-4o-mini": 0.62,
    "claude-sonnet": 1.24,
    "claude-haiku": 0.71,
    "gemini-flash": 0.54,
}
"""Seconds until the median answer is complete, by model."""
ANSWER_SPREAD, WAIT, WAIT_SPREAD = 0.48, 9.6, 0.35
"""Answers are lognormal; who waits for the database does so around WAIT seconds, as at the API."""
TELLING = 0.8
"""The share of browsers that tell: others block it, or are closed first."""


class Page(NamedTuple):
    """A page: how many loads there are for each request, and the medians of its vitals, times in seconds."""

    loads: float
    lcp: float
    inp: float
    fcp: float
    ttfb: float
    cls: float


PAGES: Mapping[str, Page] = {
    "/": Page(0.020, 1.35, 0.055, 0.82, 0.21, 0.012),
    "/pricing": Page(0.006, 1.62, 0.061, 0.97, 0.24, 0.071),
    "/login": Page(0.011, 1.12, 0.070, 0.78, 0.22, 0.008),
    "/chat/[id]": Page(0.045, 2.02, 0.164, 1.15, 0.41, 0.034),
    "/files": Page(0.009, 1.71, 0.098, 1.02, 0.38, 0.021),
    "/settings": Page(0.005, 1.44, 0.082, 0.95, 0.33, 0.010),
}
SPREADS: Mapping[str, float] = {"LCP": 0.45, "INP": 0.6, "FCP": 0.4, "TTFB": 0.5, "CLS": 1.1}
SLOWED = ("LCP", "FCP", "TTFB")
"""What the server's slowness makes slower."""
TOLD: Mapping[str, float] = {
    "$pageview": 0.11,
    "$pageleave": 0.09,
    "$autocapture": 0.34,
    "$identify": 0.012,
    "$feature_flag_called": 0.05,
    "$web_vitals": 0.08,
    "$rageclick": 0.0011,
    "$exception": 0.0008,
    "chat_message_sent": MESSAGES * TELLING,
    "file_uploaded": 0.016,
    "subscription_upgrade": 0.00009,
    OTHER: 0.004,
}
"""Events in PostHog: for each request, so many of these."""
REQUEST = 9
"""Events in a request to PostHog."""
TIMEOUTS = 21
"""Requests a day that PostHog does not answer in time."""


class Browsers:
    """Their series."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.story = pace.story
        self.counting = Counting(pace.story)

    def write(self, book: Book) -> None:
        """All of them."""
        for model, part in parts_of(MODELS).items():
            self._chats(book, model, part)
        for name, page in PAGES.items():
            for vital in ("LCP", "INP", "FCP", "TTFB"):
                self._vital(book, SECONDS, vital, name, page)
            self._vital(book, SCORE, "CLS", name, page)
        self._ignored(book)

    def _chats(self, book: Book, model: Model, part: float) -> None:
        grid, wave = self.counting.grid, Wave(0.16, CHAT, model.name, hours=2)

        def pace(time: int) -> float:
            return self.pace.arriving(time) * MESSAGES * TELLING * share_of(model, part, time, self.story)

        shares, means = [], []
        for time in grid.times:
            waiting = self.pace.waiting(time)
            median = ANSWERS[model.name] * wave(time) * (1 + 0.6 * waiting)
            shares.append(
                [
                    below(bound, median, ANSWER_SPREAD) * (1 - waiting) + below(bound, WAIT, WAIT_SPREAD) * waiting
                    for bound in CATALOGUE[CHAT].buckets
                ]
            )
            means.append(mean(median, ANSWER_SPREAD) * (1 - waiting) + mean(WAIT, WAIT_SPREAD) * waiting)
        added = self.counting.added(pace, CHAT, model.name)
        labels = TARGET | {"provider": model.provider, "model": model.name}
        write_histogram(book, CHAT, labels, grid, Observed(added, shares, means))

    def _vital(self, book: Book, metric: str, vital: str, name: str, page: Page) -> None:
        grid, wave, spread = self.counting.grid, Wave(0.1, vital, name, hours=2), SPREADS[vital]
        usual = float(getattr(page, vital.lower()))
        medians = [usual * wave(time) * (1 + 2.2 * self.pace.waiting(time) * (vital in SLOWED)) for time in grid.times]
        shares = [[below(bound, median, spread) for bound in CATALOGUE[metric].buckets] for median in medians]
        added = self.counting.added(self._for_each_request(page.loads * TELLING), metric, vital, name)
        labels = TARGET | {"vital": vital, "page": name}
        observed = Observed(added, shares, [mean(median, spread) for median in medians])
        write_histogram(book, metric, labels, grid, observed)

    def _for_each_request(self, ratio: float) -> Rate:
        return lambda time: self.pace.arriving(time) * ratio

    def _ignored(self, book: Book) -> None:
        metric, counting = "chatterfy_beacon_ignored_total", self.counting
        ratios = {("CLS", "repeated"): 0.004, ("INP", "repeated"): 0.003, ("LCP", "implausible"): 0.0002}
        for labels in [(OTHER, "unknown"), *((name, why) for name in MOST for why in ("implausible", "repeated"))]:
            if labels in ratios:
                counted = counting.counted(self._for_each_request(ratios[labels]), metric, *labels)
                book.ours(metric, labels, counting.grid, counted)
            else:
                book.ours(metric, labels, counting.still, counting.zeros)


def write_posthog(book: Book, pace: Pace) -> None:
    """What PostHog is told, and whether it hears."""
    story, counting = pace.story, Counting(pace.story, PLAIN)
    metric, failures = "chatterfy_posthog_events_total", "chatterfy_posthog_forward_failures_total"
    for event in [*OWN, *(name for name in TOLD if name not in OWN)]:
        if event in TOLD:
            angry = 6 if event in {"$rageclick", "$exception"} else 0

            def rate(time: int, ratio: float = TOLD[event], angry: int = angry) -> float:
                return pace.arriving(time) * ratio * (1 + angry * pace.waiting(time))

            book.ours(metric, (event,), counting.grid, counting.counted(rate, metric, event))
        else:
            book.ours(metric, (event,), counting.still, counting.zeros)
    few = Counting(story)
    sent = few.counted(lambda time: pace.arriving(time) * sum(TOLD.values()) / REQUEST, "posthog forwards")
    book.ours("chatterfy_posthog_forwards_total", (), few.grid, sent)
    for reason in REASONS:
        if reason == "timeout":
            lost = few.counted(lambda time: TIMEOUTS / DAY * (30 if within(time, _slow(story.end)) else 1), failures)
            book.ours(failures, (reason,), few.grid, lost)
        else:
            book.ours(failures, (reason,), few.still, few.zeros)


def _slow(end: int) -> tuple[int, int]:
    """When PostHog itself was slow."""
    return end - 7200, end - 7200 + 900
