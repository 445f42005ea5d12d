"""The exporter's own jobs: work that is counted under `chatterfy_job_*`, and the refreshing of the page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from exporter.errors import REASONS
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.schedule import Outcome
from exporter.states import Result, State

log = structlog.get_logger(__name__)

RUNS = Metric("chatterfy_job_runs_total", "counter", "Runs of the job that ended; counted at every run.", ("task",))
FAILURES = Metric(
    "chatterfy_job_failures_total",
    "counter",
    "Runs of the job that failed, by reason; counted at every run.",
    ("task", "reason"),
)
DURATION = Metric(
    "chatterfy_job_duration_seconds",
    "histogram",
    "How long whole runs of the job took; observed at every run.",
    ("task",),
    (0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60),
)
LAST_SUCCESS = Metric(
    "chatterfy_job_last_success_timestamp_seconds",
    "gauge",
    "When the job's last run that succeeded began, in seconds since 1970; absent until one has.",
    ("task",),
)
INTERVAL = Metric(
    "chatterfy_job_interval_seconds",
    "gauge",
    "How often the job is to run; set when it is scheduled.",
    ("task",),
)


class Task:
    """A piece of the exporter's own work as a job; `work` raises Failed with a reason where it is known."""

    bounded = False

    def __init__(
        self, name: str, *, interval: float, timeout: float, work: Callable[[], Awaitable[None]], store: Store
    ) -> None:
        self.name = name
        self.interval = interval
        self.timeout = timeout
        self.state = State(name, "task", critical=False, interval=interval)
        self._work = work
        self._store = store
        self._known = Sample(INTERVAL, (name,), interval)
        store.replace(f"job:{name}", [self._known])
        store.add(RUNS, name, amount=0)
        for reason in REASONS:
            store.add(FAILURES, name, reason, amount=0)

    async def run(self) -> None:
        """Does the work once."""
        await self._work()

    def settle(self, outcome: Outcome) -> None:
        """Counts the run, remembers it, and logs a failure."""
        self._store.add(RUNS, self.name)
        self._store.observe(DURATION, outcome.duration, self.name)
        if outcome.reason is None:
            self._store.replace(f"job:{self.name}", [self._known, Sample(LAST_SUCCESS, (self.name,), outcome.started)])
        else:
            self._store.add(FAILURES, self.name, outcome.reason)
            log.warning("job.failed", task=self.name, reason=outcome.reason, detail=outcome.detail)
        self.state.add(Result(outcome.started, outcome.duration, (), outcome.reason, outcome.detail))

    async def close(self) -> None:
        """Takes what is said of its schedule off the page; what was counted stays."""
        self._store.replace(f"job:{self.name}", ())


@dataclass(frozen=True, eq=False)
class PageRefresh:
    """Puts what has changed on the page, twice a second: a result is never older than that plus the rendering.

    It is not counted under `chatterfy_job_*`: each count would change the page that it refreshes.
    """

    page: Page
    name: str = "page"
    interval: float = 0.5
    timeout: float = 30.0
    bounded: bool = False

    async def run(self) -> None:
        """Renders what changed."""
        await self.page.refresh()

    def settle(self, outcome: Outcome) -> None:
        """Only a failure is worth a word."""
        if outcome.reason is not None:
            log.error("page.failed", reason=outcome.reason, detail=outcome.detail)

    async def close(self) -> None:
        """Holds nothing."""
