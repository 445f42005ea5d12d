"""One world for all tests of the demo, and ways to look at it."""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from exporter.clock import SystemClock
from exporter.demo.world import World
from tests.support.programs import program

SERVERS = ("prometheus", "alertmanager", "prometheus-alertmanager")
T = TypeVar("T")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def told() -> list[tuple[str, float]]:
    """What the world said of its progress while it started."""
    return []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(told) -> AsyncIterator[World]:
    world = World(SystemClock())
    try:
        await world.start(lambda text, fraction: told.append((text, fraction)))
        yield world
    finally:
        await world.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client with a new connection for every request."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="session")
async def database(world) -> AsyncIterator[asyncpg.Connection]:
    """The world's database at one moment: what a test changes in it is taken back, and the traffic goes unseen."""
    async with world.database.pool.acquire() as connection:
        transaction = connection.transaction(isolation="repeatable_read")
        await transaction.start()
        yield connection
        await transaction.rollback()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[T]], Callable[[T], bool]], Awaitable[None]]:
    """Asks again and again until the answer is as wanted, for up to thirty seconds."""

    async def wait(ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> None:
        async with asyncio.timeout(30):
            while not wanted(await ask()):
                await asyncio.sleep(0.02)

    return wait


@pytest.fixture
def until_printed(capsys: pytest.CaptureFixture[str]) -> Callable[[str], Awaitable[re.Match[str]]]:
    """Waits for a pattern in what a command printed, on stdout and stderr; gives the match."""
    printed = ""

    async def wait(pattern: str) -> re.Match[str]:
        nonlocal printed
        async with asyncio.timeout(60):
            while True:
                printed += "".join(capsys.readouterr())
                if match := re.search(pattern, printed):
                    return match
                await asyncio.sleep(0.05)

    return wait


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name, which pytest's own does not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def bare_path() -> str:
    """PATH without any folder in which there is a Prometheus or an Alertmanager."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not any(shutil.which(name, path=folder) for name in SERVERS))


@pytest.fixture
def full_path(bare_path: str) -> str:
    """PATH with both, and with promtool."""
    found = [program(name) for name in ("prometheus", "prometheus-alertmanager", "promtool")]
    return os.pathsep.join([bare_path, *{str(Path(it).parent) for it in found}])
