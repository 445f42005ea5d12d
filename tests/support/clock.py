"""Clocks for tests: one that is turned by hand, where time passes only when a test says so, and some that go wrong."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count

from exporter.clock import SystemClock

SPEED = 5


class FakeClock:
    """Sleepers and time limits wait in a queue; `advance` wakes them in order, with the time that they asked for."""

    def __init__(self, wall: float = 1_800_000_000.0) -> None:
        self.wall = wall
        self._time = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def now(self) -> float:
        return self.wall + self._time

    def monotonic(self) -> float:
        return self._time

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._at(seconds, lambda: None if woken.done() else woken.set_result(None))
        await woken

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return self._timeout(seconds)

    @asynccontextmanager
    async def _timeout(self, seconds: float) -> AsyncIterator[None]:
        over = False
        async with asyncio.timeout(None) as scope:
            self._at(seconds, lambda: None if over else scope.reschedule(asyncio.get_running_loop().time()))
            try:
                yield
            finally:
                over = True

    async def advance(self, seconds: float) -> None:
        """Lets that much time pass, and everyone who wakes in it run until they wait again."""
        until = self._time + seconds
        await settle()
        while self._due and self._due[0][0] <= until:
            self._time, _, wake = heapq.heappop(self._due)
            wake()
            await settle()
        self._time = until

    def _at(self, seconds: float, wake: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self._time + seconds, next(self._order), wake))


class StandingClock(SystemClock):
    """A clock that shows the same time of day for ever."""

    def __init__(self, wall: float) -> None:
        self.wall = wall

    def now(self) -> float:
        return self.wall


class QuickClock(SystemClock):
    """A clock that runs five times as fast."""

    def monotonic(self) -> float:
        return super().monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / SPEED)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return super().timeout(seconds / SPEED)


async def settle() -> None:
    """Gives every task that is ready its turn."""
    for _ in range(6):
        await asyncio.sleep(0)
