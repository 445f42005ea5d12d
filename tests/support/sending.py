"""Senders of rows that must not be lost: each is sent until it is acknowledged, by single ones and by many."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import Any

import aiohttp

from exporter.clock import SystemClock

SOON = 30.0
LATE = 1.9
"""Seconds in the past that some rows come with; exporters that they are sent to take two."""


class Senders:
    """Send what `make` makes of keys, as fast as it is taken; `many` are the sizes of each one's requests."""

    def __init__(
        self, address: str, make: Callable[[str], dict[str, Any]], seed: int, many: Sequence[int] = (1, 1, 1, 20, 100),
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._address, self._make, self._random = address, make, Random(seed)
        self._many, self._headers = many, headers
        self._clock = SystemClock()
        self._keys = count(1)
        self.acknowledged: set[str] = set()
        self.refused = 0
        self.sending = True

    async def run(self) -> None:
        async with aiohttp.ClientSession(headers=self._headers) as session:
            await asyncio.gather(*(self._send(session, many) for many in self._many))

    async def more(self, number: int = 200) -> None:
        """Until so many more are acknowledged."""
        wanted = len(self.acknowledged) + number
        async with asyncio.timeout(SOON):
            while len(self.acknowledged) < wanted:
                await asyncio.sleep(0.02)

    async def _send(self, session: aiohttp.ClientSession, many: int) -> None:
        while self.sending:
            keys = [str(next(self._keys)) for _ in range(many)]
            items = [self._item(key) for key in keys]
            while not await self._taken(session, items):
                await asyncio.sleep(0.05)
                for item in items:
                    item.pop("timestamp", None)  # it may be too old by now
            self.acknowledged.update(keys)

    def _item(self, key: str) -> dict[str, Any]:
        """Some come with a time of their own, as old as it may be."""
        if self._random.random() < 0.7:
            return self._make(key)
        return {**self._make(key), "timestamp": int((self._clock.now() - self._random.random() * LATE) * 1000)}

    async def _taken(self, session: aiohttp.ClientSession, items: list[dict[str, Any]]) -> bool:
        try:
            async with session.post(self._address, json=items) as response:
                self.refused += response.status == 503
                return response.status == 202
        except (aiohttp.ClientError, OSError):
            return False


@asynccontextmanager
async def sending(*senders: Senders) -> AsyncIterator[None]:
    """They send all the while; when it ends, all that they have sent is acknowledged."""
    tasks = [asyncio.create_task(it.run()) for it in senders]
    try:
        yield
        for it in senders:
            it.sending = False
        async with asyncio.timeout(SOON):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
