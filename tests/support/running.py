"""The exporter as tests use it: one probe run once, or the whole of it running, seen through its pages."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from exporter.app import App
from exporter.business.run import Business
from exporter.clock import Clock, SystemClock
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.probes.base import ProbeJob
from exporter.schedule import attempt
from exporter.settings import load
from exporter.tools import Tools


class Once:
    """A probe named `it` that runs when asked to; `page` is what /metrics would show after each run."""

    def __init__(self, path: Path, environ: Mapping[str, str], clock: Clock) -> None:
        settings = load(path, environ)
        self._clock = clock
        self._store = Store(settings.limits.series_per_metric)
        self._page = Page(self._store)
        self.job = ProbeJob("it", settings.probes["it"], Tools(clock, settings.redact), self._store)

    async def run(self) -> str:
        self.job.settle(await attempt(self.job, self._clock))
        await self._page.refresh()
        return self._page.text.plain.decode()

    @property
    def reason(self) -> str | None:
        return self.job.state.results[-1].reason

    @property
    def detail(self) -> str:
        return self.job.state.results[-1].detail


class Running:
    """A running exporter, seen from outside."""

    def __init__(self, app: App, session: aiohttp.ClientSession) -> None:
        self.app = app
        self.url = app.url
        self._session = session

    @property
    def business(self) -> Business:
        """The running queries, for tests that do not wait for the next minute or night."""
        assert self.app.business
        return self.app.business

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self._session.get(self.url + path, headers=headers) as response:
            return response.status, await response.text()

    async def post(self, path: str) -> tuple[int, str]:
        async with self._session.post(self.url + path) as response:
            return response.status, await response.text()

    async def page(self) -> str:
        return (await self.get("/metrics"))[1]

    async def until(self, wanted: str | Callable[[str], bool], within: float = 45.0) -> str:
        """The first page that contains (or fulfils) what is wanted; fails with the last page when it does not come."""
        page = ""
        try:
            async with asyncio.timeout(within):
                page = await self.page()
                while not (wanted(page) if callable(wanted) else wanted in page):
                    await asyncio.sleep(0.05)
                    page = await self.page()
        except TimeoutError:
            raise AssertionError(f"not within {within} s: {wanted}\n{page}") from None
        return page


@asynccontextmanager
async def running(path: Path | None, environ: Mapping[str, str], clock: Clock | None = None) -> AsyncIterator[Running]:
    """Starts an exporter in this process, and stops it."""
    app = App(lambda: load(path, environ), clock or SystemClock())
    try:
        await app.start()
        async with aiohttp.ClientSession() as session:
            yield Running(app, session)
    finally:
        await app.close()


def value(page: str, series: str) -> Any:
    """The value (a float) of a series, written as on the page; None when it is absent."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else None


def total(page: str, metric: str) -> float:
    """The sum of a metric's series; 0 when there are none."""
    return sum(map(float, re.findall(rf"^{metric}(?:\{{.*\}})? (\S+)$", page, re.MULTILINE)))
