"""What the toy's servers have to tell the exporter: a small buffer, sent in batches, each until it is taken."""

from collections import deque
from collections.abc import Iterable

from exporter.clock import Clock
from exporter.demo.notes import Item
from exporter.demo.posting import Post, Send

MOST = 10_000
"""Items that wait at most: about a quarter of an hour's. What is older is lost then, as in any app that goes on."""
BATCH = 500
FRESH = 60.0
"""Seconds for which an item is sent with its time: the exporter refuses old ones, and takes what has none as of now."""


class Outbox:
    """Items for one endpoint, in their order."""

    def __init__(self, path: str, token: str | None, clock: Clock) -> None:
        self._path = path
        self._token = token
        self._clock = clock
        self._waiting: deque[tuple[float, Item]] = deque(maxlen=MOST)
        self._batch: list[tuple[float, Item]] = []

    def add(self, items: Iterable[Item]) -> None:
        """Lets them wait for the next batch."""
        now = self._clock.now()
        self._waiting.extend((now, item) for item in items)

    async def send(self, send: Send) -> bool:
        """Sends what waits; returns whether all of it was taken. What was not is sent again, under its ids, next time.

        A batch that was not taken stays as it is: the exporter may have it, and then knows it by its ids.
        """
        while self._batch or self._waiting:
            while self._waiting and len(self._batch) < BATCH:
                self._batch.append(self._waiting.popleft())
            if await send(self._post()) != 202:
                return False
            self._batch.clear()
        return True

    def _post(self) -> Post:
        fresh = self._clock.now() - FRESH
        items = [{**item, "timestamp": int(at * 1000)} if at > fresh else item for at, item in self._batch]
        return Post.json(self._path, items, token=self._token)
