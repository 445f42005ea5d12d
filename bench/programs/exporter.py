"""Program: the command `serve`, and in its process a job that replaces as many series as asked for every second."""

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from exporter.app import App
from exporter.cli.commands import serve
from exporter.clock import Clock
from exporter.jobs import Task
from exporter.metrics.catalogue import Metric, Sample
from exporter.schedule import Scheduler
from exporter.settings import Settings

LABELS = ("database", "plan", "region", "tenant")
VALUE = Metric("bench_value", "gauge", "A value by tenant, as a query gives them; replaced every second.", LABELS)
REFRESHED = Metric("bench_refreshed_timestamp_seconds", "gauge", "When the values were last replaced; set with them.")
TICK = 0.002
"""Seconds between two ticks."""


class Ticker:
    """Ticks on the event loop, and keeps how late the latest tick came: that long the loop was held.

    `used` is the CPU that the process took meanwhile: on a busy machine the rest is other processes' time.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._used = 0.0
        self._collecting = 0.0
        self.used = 0.0
        self.held = 0.0
        self.collected = 0.0
        gc.callbacks.append(self._collection)
        self._tick()

    def _tick(self) -> None:
        now, used = self._loop.time(), time.process_time()
        if now - self._due > self.held:
            self.held, self.used = now - self._due, used - self._used
        self._used = used
        self._due = now + TICK
        self._loop.call_at(self._due, self._tick)

    def _collection(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = self._loop.time()
        else:
            self.collected = max(self.collected, self._loop.time() - self._collecting)


class Loaded(App):
    """The exporter with the bench's job; prints its URL at first, and what the ticker saw at last."""

    def __init__(self, read: Callable[[], Settings], clock: Clock) -> None:
        super().__init__(read, clock)
        self._bench_clock = clock
        self._bench = Scheduler(clock, limit=1)
        self._rounds = count()
        self._ticker: Ticker | None = None

    async def start(self) -> None:
        """Starts the exporter, then the job."""
        await super().start()
        if chosen.series:
            job = Task("bench", interval=1.0, timeout=0.9, work=self._replace, store=self.store)
            self._bench.start(job)
        if chosen.tick:
            self._ticker = Ticker()
        print(json.dumps({"url": f"{self.url}/metrics"}), flush=True)

    async def close(self) -> None:
        """Stops both."""
        if self._ticker:
            seen = {name: getattr(self._ticker, name) for name in ("held", "used", "collected")}
            print(json.dumps(seen), flush=True)
        await self._bench.close()
        await super().close()

    async def _replace(self) -> None:
        offset = next(self._rounds) * 0.37
        values = [Sample(VALUE, labels(number), number * 1.7 + offset) for number in range(chosen.series)]
        self.store.replace("bench", [*values, Sample(REFRESHED, (), self._bench_clock.now())])


def labels(number: int) -> tuple[str, ...]:
    """The labels of one of the series."""
    return "bench", ("free", "pro", "team")[number % 3], f"region-{number % 20}", f"tenant-{number}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--series", type=int, default=0)
    parser.add_argument("--tick", action="store_true")
    chosen = parser.parse_args()
    serve.App = Loaded  # type: ignore[attr-defined]  # so that what is measured is the command itself
    serve.command(["--config", str(chosen.path)])
