"""Jobs and the one executor that runs them: on time, one at a time each, bounded, supervised."""

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Protocol

import structlog

from exporter.clock import Clock
from exporter.errors import Failed, Reason

log = structlog.get_logger(__name__)

FIRST_RUNS_WITHIN = 3.0
"""Seconds over which the first runs are spread, so that a start is not a stampede and yet shows results at once."""


@dataclass(frozen=True)
class Outcome:
    """How one run ended: `started` in epoch seconds, `duration` in seconds, `reason` None for success."""

    started: float
    duration: float
    reason: Reason | None = None
    detail: str = ""


class Job(Protocol):
    """Something to do again and again."""

    @property
    def name(self) -> str:
        """What it is called in logs."""

    @property
    def interval(self) -> float:
        """Seconds from one run's start to the next one's."""

    @property
    def timeout(self) -> float:
        """Seconds after which a run is cancelled."""

    @property
    def bounded(self) -> bool:
        """Whether the job's runs count towards the limit on runs at once."""

    async def run(self) -> None:
        """Does it once; raises Failed with a reason where that is known."""

    def settle(self, outcome: Outcome) -> None:
        """Takes the outcome of the run that just ended."""

    async def close(self) -> None:
        """Lets go of what the job holds; called once, when it will not run again."""


class Scheduler:
    """Runs each job at its own fixed rate in a task of its own.

    A slow job delays nothing but itself; a run that overshoots its slot skips the slots it missed.
    """

    def __init__(self, clock: Clock, *, limit: int, random: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._slots = asyncio.Semaphore(limit)
        self._random = random or Random().random  # noqa: S311  (spreads load, keeps no secret)
        self._tasks: dict[Job, asyncio.Task[None]] = {}

    def limit(self, runs: int) -> None:
        """Sets how many bounded jobs may run at once; runs under way are not disturbed."""
        self._slots = asyncio.Semaphore(runs)

    def start(self, job: Job) -> None:
        """Schedules the job; its first run comes within three seconds (or its interval, if that is shorter)."""
        delay = self._random() * min(FIRST_RUNS_WITHIN, job.interval)
        self._tasks[job] = asyncio.create_task(self._repeat(job, delay), name=f"job:{job.name}")

    async def stop(self, job: Job) -> None:
        """Cancels the job, waits until its run has ended, and closes it."""
        task = self._tasks.pop(job)
        task.cancel()
        await asyncio.wait([task])
        await job.close()

    async def close(self) -> None:
        """Stops every job."""
        await asyncio.gather(*map(self.stop, list(self._tasks)))

    async def _repeat(self, job: Job, delay: float) -> None:
        await self._clock.sleep(delay)
        due = self._clock.monotonic()
        while True:
            slot: AbstractAsyncContextManager[object] = self._slots if job.bounded else nullcontext()
            async with slot:
                await self._run_once(job)
            late = self._clock.monotonic() - due
            due += job.interval * max(1, math.ceil(late / job.interval))
            await self._clock.sleep(due - self._clock.monotonic())

    async def _run_once(self, job: Job) -> None:
        try:
            job.settle(await attempt(job, self._clock))
        except Exception:
            # The supervisor's place: a defect in one job's bookkeeping must not end its schedule.
            log.exception("job.broken", task=job.name)


async def attempt(job: Job, clock: Clock) -> Outcome:
    """Runs the job once within its timeout and says how it ended; only cancellation passes through."""
    started, begin = clock.now(), clock.monotonic()
    reason: Reason | None = None
    detail = ""
    try:
        async with clock.timeout(job.timeout):
            await job.run()
    except Failed as failure:
        reason, detail = failure.reason, failure.detail
    except TimeoutError:
        reason, detail = "timeout", f"no answer within {job.timeout:g} s"
    except Exception as error:
        # The supervisor's place: what no one foresaw is counted and logged, and the job goes on.
        log.exception("job.crashed", task=job.name)
        reason, detail = "internal", type(error).__name__
    return Outcome(started, clock.monotonic() - begin, reason, detail)
