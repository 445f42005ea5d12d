"""The scheduler, driven by a clock that the test turns."""

import asyncio
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from exporter.errors import Failed
from exporter.schedule import Outcome, Scheduler
from tests.support.clock import FakeClock

pytestmark = pytest.mark.fast


@dataclass(eq=False)
class Work:
    """A job that records when it ran, takes `takes` seconds, and fails as it is told."""

    clock: FakeClock
    name: str = "work"
    interval: float = 10.0
    timeout: float = 5.0
    bounded: bool = True
    takes: float = 0.0
    error: Exception | None = None
    settle_error: Exception | None = None
    started: list[float] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    running: int = 0
    most: int = 0
    closed: int = 0

    async def run(self):
        self.started.append(self.clock.monotonic())
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.takes:
                await self.clock.sleep(self.takes)
            if self.error:
                raise self.error
        finally:
            self.running -= 1

    def settle(self, outcome):
        self.outcomes.append(outcome)
        if self.settle_error:
            raise self.settle_error

    async def close(self):
        self.closed += 1


@pytest.fixture
async def scheduler(clock):
    scheduler = Scheduler(clock, limit=100, random=lambda: 0.5)
    yield scheduler
    await scheduler.close()


async def test_a_day_of_runs_happens_at_a_fixed_rate_without_drift(scheduler, clock):
    work = Work(clock, takes=0.25)
    scheduler.start(work)

    await clock.advance(86_400)

    assert len(work.started) == 8640
    assert work.started == [1.5 + 10 * run for run in range(8640)]


async def test_first_runs_are_spread_over_three_seconds(clock):
    spots = iter([0.0, 0.25, 0.5, 0.75])
    scheduler = Scheduler(clock, limit=10, random=lambda: next(spots))
    jobs = [Work(clock, name=str(number)) for number in range(4)]
    for job in jobs:
        scheduler.start(job)

    await clock.advance(3)

    assert [job.started for job in jobs] == [[0.0], [0.75], [1.5], [2.25]]
    await scheduler.close()


async def test_a_run_is_cancelled_at_its_timeout_and_the_next_one_keeps_its_slot(scheduler, clock):
    work = Work(clock, takes=60)
    scheduler.start(work)

    await clock.advance(15)

    assert [(outcome.reason, outcome.duration) for outcome in work.outcomes] == [("timeout", 5.0)]
    assert work.started == [1.5, 11.5]


async def test_a_job_never_overlaps_itself_and_skips_the_slots_that_it_missed(scheduler, clock):
    work = Work(clock, interval=1, timeout=30, takes=3.5)
    scheduler.start(work)

    await clock.advance(20)

    assert work.most == 1
    assert work.started == [0.5, 4.5, 8.5, 12.5, 16.5]


async def test_a_slow_job_delays_no_other(scheduler, clock):
    slow, quick = Work(clock, name="slow", takes=4.9), Work(clock, name="quick", interval=1, timeout=0.5)
    scheduler.start(slow)
    scheduler.start(quick)

    await clock.advance(10.6)

    assert quick.started == [0.5 + second for second in range(11)]


async def test_bounded_jobs_wait_for_their_turn_and_others_do_not(clock):
    scheduler = Scheduler(clock, limit=1, random=lambda: 0.0)
    first, second = Work(clock, name="first", takes=2), Work(clock, name="second", takes=2)
    free = Work(clock, name="free", bounded=False)
    for job in (first, second, free):
        scheduler.start(job)

    await clock.advance(3)

    assert (first.started, second.started, free.started) == ([0.0], [2.0], [0.0])
    await scheduler.close()


async def test_a_raised_limit_holds_for_the_next_runs(clock):
    scheduler = Scheduler(clock, limit=1, random=lambda: 0.0)
    first, second = Work(clock, name="first", takes=2), Work(clock, name="second", takes=2)
    scheduler.start(first)
    scheduler.start(second)
    await clock.advance(5)

    scheduler.limit(2)
    await clock.advance(5)

    assert (first.started, second.started) == ([0.0, 10.0], [2.0, 10.0])
    await scheduler.close()


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (Failed("auth", "who?"), "auth", "who?"),
        (TimeoutError(), "timeout", "no answer within 5 s"),
        (ZeroDivisionError("1/0"), "internal", "ZeroDivisionError"),
    ],
)
async def test_an_error_is_an_outcome_and_the_job_goes_on(scheduler, clock, error, reason, detail):
    work = Work(clock, error=error)
    scheduler.start(work)

    with capture_logs() as logs:
        await clock.advance(15)

    assert [(outcome.reason, outcome.detail) for outcome in work.outcomes] == [(reason, detail)] * 2
    assert [entry["event"] for entry in logs] == (["job.crashed"] * 2 if reason == "internal" else [])


async def test_a_defect_in_the_bookkeeping_does_not_end_the_schedule(scheduler, clock):
    work = Work(clock, settle_error=KeyError("oops"))
    scheduler.start(work)

    with capture_logs() as logs:
        await clock.advance(15)

    assert len(work.started) == 2
    assert [entry["event"] for entry in logs] == ["job.broken", "job.broken"]


async def test_outcomes_carry_the_wall_clock_and_schedules_ignore_its_jumps(scheduler, clock):
    work = Work(clock)
    scheduler.start(work)
    await clock.advance(2)

    clock.wall -= 3600
    await clock.advance(10)

    assert work.started == [1.5, 11.5]
    assert [outcome.started - 1_800_000_000 for outcome in work.outcomes] == [1.5, 11.5 - 3600]


async def test_stopping_cancels_what_runs_and_closes_the_job_once(scheduler, clock):
    work = Work(clock, takes=4)
    scheduler.start(work)
    await clock.advance(2)

    await scheduler.stop(work)

    assert (work.running, work.closed, work.outcomes) == (0, 1, [])
    assert [task for task in asyncio.all_tasks() if task.get_name() == "job:work"] == []
