"""Fills a folder: first what the exporter and its neighbours showed, then what the rules made of it."""

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from grafana.past.accounts import Accounts
from grafana.past.alerting import episodes, write_alerts
from grafana.past.api import endpoints, write_api
from grafana.past.apps import Apps
from grafana.past.book import Book
from grafana.past.browsers import Browsers, write_posthog
from grafana.past.business import Business, write_business
from grafana.past.days import write_days, write_zeros
from grafana.past.deploys import write_deploys
from grafana.past.ingest import Ingest
from grafana.past.jobs import Jobs
from grafana.past.monitoring import Monitoring
from grafana.past.pace import Pace
from grafana.past.probes import Probe, probes
from grafana.past.process import Process
from grafana.past.record import record
from grafana.past.rules import levels
from grafana.past.server import Programs, serving
from grafana.past.story import Story
from grafana.past.told import Told, write_refusals
from grafana.past.watched import Watch

_ONE_BLOCK = "--max-block-duration=39366h"
"""promtool's own two hours would have it read the file once for each block: 360 times, minutes instead of seconds."""
BATCH = 3
"""Endpoints or probes in a file: promtool has all of a file in memory."""
Chapter = Callable[[Book], None]
Thing = TypeVar("Thing")


async def fill(data: Path, end: float, programs: Programs) -> None:
    """Writes blocks into `data`, which need not be there; raises where promtool or Prometheus fail."""
    story = Story.until(end)
    with tempfile.TemporaryDirectory(prefix="chatterfy-past-") as name:
        folder = Path(name)
        await _tell(story, folder, data, programs)
        for level in levels():
            with Book(folder / "recorded") as book:
                async with serving(programs.prometheus, data) as server:
                    await record(server, story, level, book)
            await _blocks(programs, book.path, data)
        with Book(folder / "alerts") as book:
            async with serving(programs.prometheus, data) as server:
                found = await episodes(server, story)
            write_alerts(book, found)
            Told(story, found).write(book)
        await _blocks(programs, book.path, data)


async def _tell(story: Story, folder: Path, data: Path, programs: Programs) -> None:
    """While one chapter is written the one before becomes a block."""
    block: asyncio.Task[None] | None = None
    for number, chapter in enumerate(chapters(story)):
        path = folder / f"chapter{number}"
        await asyncio.to_thread(_write, chapter, path)
        if block:
            await block
        block = asyncio.create_task(_blocks(programs, path, data))
    if block:
        await block


def chapters(story: Story) -> Iterator[Chapter]:
    """What is written before any rule is evaluated, in files that promtool can take."""
    pace = Pace(story)
    for some in _batches(endpoints()):
        yield partial(write_api, pace=pace, some=some)
    yield partial(_write_users, pace=pace)
    for few in _batches(probes(story)):
        yield partial(_write_probes, story=story, some=few)
    yield Jobs(story).write
    yield Ingest(pace).write
    yield Browsers(pace).write
    yield Apps(pace).write
    yield partial(_write_told, pace=pace)
    yield partial(_write_own, story=story)


def _write(chapter: Chapter, path: Path) -> None:
    with Book(path) as book:
        chapter(book)


def _write_users(book: Book, pace: Pace) -> None:
    business = Business(pace)
    accounts = Accounts(business)
    write_business(book, business)
    accounts.write(book)
    write_days(book, business, accounts)
    write_zeros(book, accounts)


def _write_probes(book: Book, story: Story, some: Iterable[Probe]) -> None:
    watch = Watch(story)
    for probe in some:
        watch.write(book, probe)


def _batches(things: Sequence[Thing]) -> Iterator[Sequence[Thing]]:
    return (things[place : place + BATCH] for place in range(0, len(things), BATCH))


def _write_told(book: Book, pace: Pace) -> None:
    write_posthog(book, pace)
    write_deploys(book, pace.story)


def _write_own(book: Book, story: Story) -> None:
    Process(story).write(book)
    Monitoring(story).write(book)
    write_refusals(book, story)


async def _blocks(programs: Programs, file: Path, data: Path) -> None:
    """Turns a file of samples into a block, and deletes it."""
    process = await asyncio.create_subprocess_exec(
        programs.promtool, "tsdb", "create-blocks-from", _ONE_BLOCK, "openmetrics", "--quiet", str(file), str(data),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, problem = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"promtool: {problem.decode()}")
    await asyncio.to_thread(file.unlink)
