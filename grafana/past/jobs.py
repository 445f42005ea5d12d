"""The exporter's own jobs: queries, checks, recounts, and the days."""

from itertools import pairwise

from exporter.business.shipped import SHIPPED
from exporter.errors import REASONS
from exporter.metrics.catalogue import CATALOGUE
from grafana.past.book import TARGET, Book
from grafana.past.chance import Wave, dice
from grafana.past.grid import PLAIN, QUIET, STILL, Grid
from grafana.past.shape import Observed, below, mean, write_histogram
from grafana.past.story import DAY, Story, within

DURATION = "chatterfy_job_duration_seconds"
OTHERS = {"tables": 60, "recount": 3600, "daily": 300, "process": 10}
"""The jobs that are no queries, with their intervals."""
SECONDS = {"recount": 1.9, "daily": 0.21, "process": 0.0009, "tables": 0.034, "active_orgs": 0.31}
"""What a run takes; what is not here takes about USUAL."""
USUAL, SPREAD = 0.012, 0.35
TIMED_OUT = 4
"""Runs that ran out of time before the connection was refused."""
JUDGED = {"signups", "messages"}
"""Jobs without whose times rules record nothing: they are remembered for as long as what is recorded."""
LATE = {"tokens": 3}
"""Rows that came late, by query, found in one night."""


class Jobs:
    """The jobs' series."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.plain, self.quiet, self.still = Grid(story, PLAIN), Grid(story, QUIET), Grid(story, STILL)
        self.intervals = {query.name: int(query.header.every) for query in SHIPPED} | OTHERS

    def write(self, book: Book) -> None:
        """All of them."""
        for task, interval in self.intervals.items():
            grid = self.plain if task in JUDGED else self.quiet
            book.ours("chatterfy_job_interval_seconds", (task,), grid, [interval] * len(grid.times))
            runs = [(time - self.story.deploy) // interval for time in self.quiet.times]
            book.ours("chatterfy_job_runs_total", (task,), self.quiet, runs)
            self._failures(book, task, interval)
            succeeded = [self._succeeded(task, interval, time) for time in grid.times]
            book.ours("chatterfy_job_last_success_timestamp_seconds", (task,), grid, succeeded)
            self._durations(book, task, interval)
        for query in SHIPPED:
            book.ours("chatterfy_query_enabled", (query.name,), self.quiet, [1] * len(self.quiet.times))
            if query.kind != "gauge":
                self._horizon(book, query.name, query.settle.total_seconds())

    def _failures(self, book: Book, task: str, interval: int) -> None:
        begin, end = self.story.down
        reads = task != "process"
        turn = begin + TIMED_OUT * interval
        spans = {"timeout": (begin, min(turn, end)), "connect": (min(turn, end), end)} if reads else {}
        for reason in REASONS:
            first, last = spans.get(reason, (0, 0))
            grid = self.quiet if first < last else self.still
            counts = [max(0, min(time, last) - first) // interval for time in grid.times]
            book.ours("chatterfy_job_failures_total", (task, reason), grid, counts)

    def _succeeded(self, task: str, interval: int, time: int) -> float:
        """A job of long intervals that happened not to run while the database was down is none the worse."""
        begin, end = self.story.down
        ran = time - (time + 7 * len(task)) % interval - 0.3
        if task != "process" and begin <= ran < end:
            return begin - (begin + 7 * len(task)) % interval - 0.3
        return ran

    def _durations(self, book: Book, task: str, interval: int) -> None:
        grid, wave, usual = self.quiet, Wave(0.3, task, hours=3), SECONDS.get(task, USUAL)
        random, climb = dice("usual", task), self.story.climb
        usual *= 0.7 + 0.6 * random.random()
        medians = [usual * wave(time) * (9 if within(time, climb) and task != "process" else 1) for time in grid.times]
        # A job seldom runs in each step: its runs are whole ones.
        totals = [(time - self.story.deploy) // interval for time in grid.times]
        runs = [totals[0], *(after - before for before, after in pairwise(totals))]
        shares = [[below(bound, median, SPREAD) for bound in CATALOGUE[DURATION].buckets] for median in medians]
        means = [mean(median, SPREAD) for median in medians]
        write_histogram(book, DURATION, TARGET | {"task": task}, grid, Observed(runs, shares, means))

    def _horizon(self, book: Book, query: str, settle: float) -> None:
        grid, interval = self.quiet, self.intervals[query]
        horizon = [round(self._succeeded(query, interval, time) - settle, 1) for time in grid.times]
        book.ours("chatterfy_query_horizon_timestamp_seconds", (query,), grid, horizon)
        night = self.story.end // DAY * DAY - DAY
        late = [LATE.get(query, 0) if night <= time < night + DAY else 0 for time in grid.times]
        book.ours("chatterfy_query_late_rows", (query,), grid, late)
