"""Time, handed in: the only module that reads a clock or sleeps."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Clock(Protocol):
    """What the exporter needs of time; tests drive one of their own."""

    def now(self) -> float:
        """Seconds since 1970 in UTC; may jump when the machine's clock is set."""

    def monotonic(self) -> float:
        """Seconds since some start; never goes back, so durations and schedules use it."""

    async def sleep(self, seconds: float) -> None:
        """Returns after that many seconds."""

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A scope whose body is cancelled, and left with TimeoutError, after that many seconds."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Wall-clock time, for timestamps."""
        return time.time()

    def monotonic(self) -> float:
        """Steady time, for durations; its resolution is that of perf_counter."""
        return time.perf_counter()

    async def sleep(self, seconds: float) -> None:
        """Sleeps on the running event loop."""
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """The event loop's own timeout."""
        return asyncio.timeout(seconds)
