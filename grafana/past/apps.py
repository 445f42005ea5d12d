"""What apps report to Sentry through the exporter."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from exporter.metrics.catalogue import CATALOGUE
from exporter.relay.sentry.counts import LEVELS
from exporter.relay.sentry.upstream import REASONS
from grafana.past.api import SPREAD as API_SPREAD
from grafana.past.api import WAIT, WAIT_SPREAD, endpoints
from grafana.past.book import ENVIRONMENT, TARGET, Book
from grafana.past.browsers import PAGES
from grafana.past.chance import Wave
from grafana.past.counting import Counting, Rate
from grafana.past.pace import Pace
from grafana.past.shape import Observed, below, mean, write_histogram
from grafana.past.story import DAY, HOUR, within

EVENTS, DURATION = "chatterfy_sentry_events_total", "chatterfy_sentry_transaction_duration_seconds"
ENVIRONMENTS: Mapping[str, str] = {"api": ENVIRONMENT, "web": f"vercel-{ENVIRONMENT}"}
"""The projects, and what their apps call where they run: Vercel has words of its own."""
EACH_DAY: Mapping[tuple[str, str], float] = {
    ("api", "error"): 41, ("api", "warning"): 64, ("api", "info"): 12, ("web", "error"): 88, ("web", "warning"): 19,
}  # fmt: skip
IN_TROUBLE: Mapping[tuple[str, str], float] = {
    ("api", "fatal"): 0.02, ("api", "error"): 0.9, ("api", "warning"): 0.2, ("web", "error"): 0.24,
}  # fmt: skip
"""Events a second when the database is about to go, by project and level."""
DOWN = 0.7
"""How much of that there still is when it has gone, and fewer requests come through."""
SAMPLED = 0.1
"""The share of transactions that the SDKs send."""
PAGE_SPREAD = 0.45
STARTED = 0.05
"""Sessions of browsers for each request."""
SESSIONS: Mapping[str, float] = {
    "started": 1.0, "exited": 0.988, "errored": 0.006, "unhandled": 0.0021, "crashed": 0.0034, "abnormal": 0.0,
}  # fmt: skip
"""What becomes of them."""
ENVELOPES: Mapping[tuple[str, str], float] = {
    ("api", "transaction"): SAMPLED, ("api", "client_report"): 0.006, ("web", "transaction"): 0.01,
    ("web", "session"): 1.9 * STARTED, ("web", "client_report"): 0.009, ("web", "replay_event"): 0.002,
}  # fmt: skip
"""Items beside events, one in an envelope: for each request, so many of these."""
DROPPED_A_DAY: Mapping[tuple[str, str], float] = {("before_send", "error"): 26, ("network_error", "error"): 4}
CHECKS: Mapping[str, tuple[int, int]] = {"send-digests": (HOUR, 45 * 60), "bill-usage": (DAY, 2 * HOUR)}
"""Scheduled jobs of the app: how often they run, and how long after the whole hour or midnight."""


class Apps:
    """Their series."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.story = pace.story
        self.counting = Counting(pace.story)

    def write(self, book: Book) -> None:
        """All of them."""
        for project, environment in ENVIRONMENTS.items():
            self._events(book, project, environment)
            self._passed_on(book, project)
        for (project, item), ratio in ENVELOPES.items():
            self._count(book, "chatterfy_sentry_items_total", (project, item), self._for_each_request(ratio))
        for status, part in SESSIONS.items():
            rate = self._for_each_request(STARTED * part)
            self._count(book, "chatterfy_sentry_sessions_total", ("web", status), rate)
            self._count(book, "chatterfy_sentry_sessions_total", ("api", status), lambda _: 0)
        self._dropped(book)
        self._transactions(book)
        for monitor, (every, after) in CHECKS.items():
            _checked(book, self.counting, monitor, every, after)

    def _for_each_request(self, ratio: float) -> Rate:
        return lambda time: self.pace.arriving(time) * ratio

    def _count(self, book: Book, metric: str, labels: tuple[str, ...], rate: Rate) -> None:
        book.ours(metric, labels, self.counting.grid, self.counting.counted(rate, metric, *labels))

    def _trouble(self, time: int) -> float:
        return DOWN if within(time, self.story.down) else self.pace.waiting(time) / 0.85

    def _reported(self, project: str, level: str) -> Rate:
        usual, more = EACH_DAY.get((project, level), 0) / DAY, IN_TROUBLE.get((project, level), 0)
        return lambda time: usual * self.pace.wanted(time) + more * self._trouble(time)

    def _events(self, book: Book, project: str, environment: str) -> None:
        happening = {level for where, level in {*EACH_DAY, *IN_TROUBLE} if where == project}
        for level in LEVELS:
            if level in happening:
                self._count(book, EVENTS, (project, level, environment), self._reported(project, level))
            if level not in happening or environment != ENVIRONMENT:
                book.ours(EVENTS, (project, level, ENVIRONMENT), self.counting.still, self.counting.zeros)
        self._count(book, "chatterfy_sentry_items_total", (project, "event"), self._all_reported(project))

    def _all_reported(self, project: str) -> Rate:
        rates = [self._reported(project, level) for level in LEVELS]
        return lambda time: sum(rate(time) for rate in rates)

    def _passed_on(self, book: Book, project: str) -> None:
        ratio = sum(part for (where, _), part in ENVELOPES.items() if where == project)
        events, others = self._all_reported(project), self._for_each_request(ratio)
        self._count(book, "chatterfy_sentry_forwards_total", (project,), lambda time: events(time) + others(time))
        for reason in REASONS:
            labels = (project, reason)
            if reason == "timeout":
                self._count(book, "chatterfy_sentry_forward_failures_total", labels, lambda _: 9 / DAY)
            elif labels == ("api", "limit"):
                self._count(book, "chatterfy_sentry_forward_failures_total", labels, lambda it: 0.3 * self._trouble(it))
            else:
                grid, zeros = self.counting.still, self.counting.zeros
                book.ours("chatterfy_sentry_forward_failures_total", labels, grid, zeros)

    def _dropped(self, book: Book) -> None:
        metric = "chatterfy_sentry_outcomes_total"
        self._count(book, metric, ("sample_rate", "transaction"), self._for_each_request(1 - SAMPLED))
        self._count(book, metric, ("ratelimit_backoff", "error"), lambda time: 0.25 * self._trouble(time))
        for labels, day in DROPPED_A_DAY.items():
            self._count(book, metric, labels, lambda _, day=day: day / DAY)  # type: ignore[misc]

    def _transactions(self, book: Book) -> None:
        for endpoint, part in endpoints():
            name = ("api", f"{endpoint.method} {endpoint.path}")
            self._transaction(book, name, SAMPLED * part, endpoint.median_ms / 1000, API_SPREAD)
        for page, usual in PAGES.items():
            self._transaction(book, ("web", page), SAMPLED * usual.loads, 0.9 * usual.lcp, PAGE_SPREAD)

    def _transaction(self, book: Book, name: tuple[str, str], ratio: float, usual: float, spread: float) -> None:
        grid, wave = self.counting.grid, Wave(0.12, DURATION, *name)
        waits = [self.pace.waiting(time) * (1 if name[0] == "api" else 0.3) for time in grid.times]
        medians = [usual * wave(time) * (1 + wait) for time, wait in zip(grid.times, waits, strict=True)]
        shares = [
            [
                below(bound, median, spread) * (1 - wait) + below(bound, WAIT, WAIT_SPREAD) * wait
                for bound in CATALOGUE[DURATION].buckets
            ]
            for median, wait in zip(medians, waits, strict=True)
        ]
        means = [
            mean(median, spread) * (1 - wait) + mean(WAIT, WAIT_SPREAD) * wait
            for median, wait in zip(medians, waits, strict=True)
        ]
        added = self.counting.added(self._for_each_request(ratio), DURATION, *name)
        labels = TARGET | {"project": name[0], "transaction": name[1]}
        write_histogram(book, DURATION, labels, grid, Observed(added, shares, means))

        def failing(time: int) -> float:
            part = self.pace.failing(time) + (0.6 if within(time, self.story.down) else 0.0)
            return self.pace.arriving(time) * ratio * (part if name[0] == "api" else 0.0004 + 0.2 * part)

        self._count(book, "chatterfy_sentry_transaction_errors_total", name, failing)


def _checked(book: Book, counting: Counting, monitor: str, every: int, after: int) -> None:
    """Each run says that it begins, and how it ended."""
    story, grid = counting.story, counting.grid
    runs = range((story.deploy - after) // every * every + every + after, story.end, every)
    failed = [run for run in runs if within(run, story.down)]
    for status, some in {
        "in_progress": runs, "ok": [run for run in runs if run not in failed], "error": failed, "other": (),
    }.items():  # fmt: skip
        book.ours("chatterfy_sentry_checkins_total", (monitor, status), grid, _until(some, grid.times))


def _until(moments: Sequence[int], times: Sequence[int]) -> list[int]:
    """How many of the moments were over."""
    return [bisect_left(moments, time) for time in times]
