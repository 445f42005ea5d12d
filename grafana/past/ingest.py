"""What is received: which rows were kept where, how long that took, what waits on the disk, what was refused."""

from collections.abc import Mapping

from exporter.limits import REJECTED
from exporter.limits.rejected import NOWHERE, REASONS_OF_NONE, REJECT_REASONS
from exporter.metrics.catalogue import CATALOGUE
from grafana.past.book import TARGET, Book
from grafana.past.business import CANCELLED, CREATED, MESSAGES, SIGNUPS, UPLOADS
from grafana.past.chance import Wave
from grafana.past.counting import Counting, Rate
from grafana.past.grid import PLAIN, Grid
from grafana.past.pace import Pace
from grafana.past.shape import Observed, below, mean, write_histogram
from grafana.past.story import DAY, share, within

SECONDS = "chatterfy_ingest_keep_seconds"
EVENTS: Mapping[str, float] = {
    "user_signup": SIGNUPS,
    "subscription_created": CREATED,
    "subscription_cancelled": CANCELLED,
    "chat_message": MESSAGES,
    "file_upload": UPLOADS,
}
"""For each request, so many of these."""
BATCH = 10
"""Lines of the request log that the app sends at once."""
EMPTY, PAGE, ROW, LIMIT = 45_056, 4096, 310, 512 * 1024 * 1024
"""Bytes of a spool without rows, of a page and of a row in it, and of the most that it may have."""
ENDPOINTS = (
    "events", "requests", "beacon", "script", "sentry", "sentry_tunnel", "posthog", "posthog_assets", "deploys",
)  # fmt: skip
REFUSED: Mapping[tuple[str, str], float] = {
    (NOWHERE, "path"): 190,
    (NOWHERE, "http"): 11,
    ("events", "auth"): 4,
    ("events", "body"): 3,
    ("beacon", "origin"): 36,
    ("beacon", "body"): 5,
    ("posthog", "size"): 7,
    ("sentry", "slow"): 4,
}
"""A day: scanners, other people's pages, and a few mistakes."""
FLOOD = 0.35
"""Of Sentry's envelopes a second, at the height of the incident: one client sends more than it may."""


class Ingest:
    """Its series."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.story = pace.story
        self.counting = Counting(pace.story)

    def write(self, book: Book) -> None:
        """All of them."""
        grid, events = self.counting.grid, sum(EVENTS.values())
        for event, ratio in EVENTS.items():
            counted = self.counting.counted(self._coming(ratio), "event", event)
            book.ours("chatterfy_events_total", (event,), grid, counted)
        for where in ("database", "spool"):
            for table, ratio in (("business_event", events), ("api_request", 1.0)):
                counted = self.counting.counted(self._coming(ratio, where), "kept", table, where)
                book.ours("chatterfy_ingest_kept_rows_total", (table, where), grid, counted)
            self._durations(book, where, events + 1 / BATCH)
        self._spool(book, events + 1.0)
        self._refused(book)

    def _coming(self, ratio: float, where: str = "") -> Rate:
        """So many for each request; of them those that are kept there, if that is given."""

        def pace(time: int) -> float:
            spooled = within(time, self.story.down)
            return self.pace.arriving(time) * ratio * (not where or spooled == (where == "spool"))

        return pace

    def _durations(self, book: Book, where: str, ratio: float) -> None:
        grid, wave = self.counting.grid, Wave(0.2, SECONDS, where, hours=3)
        added = self.counting.added(self._coming(ratio, where), SECONDS, where)
        usual, spread = (0.0041, 0.5) if where == "database" else (0.0068, 0.4)
        medians = [usual * wave(time) * (14 if within(time, self.story.climb) else 1) for time in grid.times]
        shares = [[below(bound, median, spread) for bound in CATALOGUE[SECONDS].buckets] for median in medians]
        means = [mean(median, spread) for median in medians]
        write_histogram(book, SECONDS, TARGET | {"where": where}, grid, Observed(added, shares, means))

    def _spool(self, book: Book, ratio: float) -> None:
        grid = Grid(self.story, PLAIN)
        begin, end = self.story.down
        waiting = [round(self.pace.waits(time) * ratio) if time >= begin else 0 for time in grid.times]
        book.ours("chatterfy_ingest_spool_rows", (), grid, waiting)
        book.ours("chatterfy_ingest_dead_rows", (), grid, [0] * len(grid.times))
        used = [EMPTY + rows * ROW // PAGE * PAGE for rows in waiting]
        book.ours("chatterfy_ingest_spool_bytes", (), grid, used)
        book.ours("chatterfy_ingest_spool_limit_bytes", (), grid, [LIMIT] * len(grid.times))
        oldest = [
            round(begin + share(time, self.story.drain) * (end - begin) + 0.4, 3) if rows else None
            for time, rows in zip(grid.times, waiting, strict=True)
        ]
        book.ours("chatterfy_ingest_spool_oldest_timestamp_seconds", (), grid, oldest)

    def _refused(self, book: Book) -> None:
        counting = self.counting
        possible = [(endpoint, reason) for endpoint in ENDPOINTS for reason in REJECT_REASONS]
        for labels in [*((NOWHERE, reason) for reason in REASONS_OF_NONE), *possible]:
            if labels in REFUSED:
                counted = counting.counted(lambda _, day=REFUSED[labels]: day / DAY, "refused", *labels)  # type: ignore[misc]
            elif labels == ("sentry", "rate"):
                counted = counting.counted(lambda time: FLOOD * self.pace.waiting(time), "refused", *labels)
            else:
                book.ours(REJECTED.name, labels, counting.still, counting.zeros)
                continue
            book.ours(REJECTED.name, labels, counting.grid, counted)
