"""The spool as the event loop sees it: one call at a time, each in a thread, and its figures on the page."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from exporter.clock import Clock
from exporter.ingest.durable.options import SpoolOptions
from exporter.ingest.durable.spool import Spool, Waiting
from exporter.limits import Row
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.store import Store
from exporter.tools import OneByOne

ROWS = Metric(
    "chatterfy_ingest_spool_rows",
    "gauge",
    "Rows that were accepted and wait on the disk until the database takes them; set whenever it changes.",
)
OLDEST = Metric(
    "chatterfy_ingest_spool_oldest_timestamp_seconds",
    "gauge",
    "When the oldest row that waits on the disk was made, in seconds since 1970; absent where none waits.",
)
DEAD = Metric(
    "chatterfy_ingest_dead_rows",
    "gauge",
    "Rows that were accepted and that the database refuses for good, kept in the spool; set whenever it changes.",
)
USED = Metric("chatterfy_ingest_spool_bytes", "gauge", "Bytes of the spool in use; set whenever it changes.")
LIMIT = Metric("chatterfy_ingest_spool_limit_bytes", "gauge", "Bytes that the spool may have; set at start.")

CLOSE_WITHIN = 1.0
"""Seconds that closing waits for a disk that hangs."""


class Disk:
    """Owns the spool. Its methods raise sqlite3.Error, and then nothing has changed."""

    def __init__(self, options: SpoolOptions, store: Store, clock: Clock) -> None:
        """Raises ExporterError where the file cannot be had."""
        self.path = options.path
        self._spool = Spool(options.path, options.limit)
        self._store = store
        self._clock = clock
        self._calls = OneByOne("spool", after=self._publish)
        self._publish()

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return self._spool.rows

    @property
    def oldest(self) -> Mapping[str, float]:
        """When the oldest row of each table that waits was made."""
        return self._spool.oldest

    async def append(self, rows: Sequence[tuple[str, Row]]) -> list[bool]:
        """Adds rows; tells of each whether it is new."""
        return await self._calls.run(lambda: self._spool.append(rows))

    async def first(self, count: int) -> list[Waiting]:
        """The rows that have waited longest."""
        return await self._calls.run(lambda: self._spool.first(count))

    async def remove(self, last: int, refused: Sequence[tuple[Waiting, str]]) -> None:
        """Takes away the rows up to `last`, and lays aside those that were refused."""
        await self._calls.run(lambda: self._spool.remove(last, refused, self._clock.now()))

    async def close(self) -> None:
        """Closes the file, after what is under way, and takes its figures off the page."""
        with suppress(TimeoutError):
            async with self._clock.timeout(CLOSE_WITHIN):
                await self._calls.run(self._spool.close)
        self._store.replace("ingest.spool", ())

    def _publish(self) -> None:
        spool = self._spool
        figures = [Sample(ROWS, (), spool.rows), Sample(DEAD, (), spool.dead)]
        figures += [Sample(USED, (), spool.bytes), Sample(LIMIT, (), spool.limit)]
        if spool.oldest:
            figures.append(Sample(OLDEST, (), min(spool.oldest.values())))
        self._store.replace("ingest.spool", figures)
