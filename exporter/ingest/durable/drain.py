"""The drain: brings what waits on the disk to the database, in the order in which it came, once that takes it again."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import nullcontext

import structlog

from exporter.clock import Clock
from exporter.ingest.durable.database import Database, Unstored, by_table
from exporter.ingest.durable.disk import Disk
from exporter.ingest.durable.spool import Waiting

log = structlog.get_logger(__name__)

CHUNK = 1000
"""Rows of one transaction."""
SECONDS = 10.0
"""How long one may take, while nobody waits for it."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds between attempts: the pause doubles as long as they fail."""


class Drain:
    """Runs while rows wait. `turn` is held by whoever writes batches that come: see `_bring`."""

    def __init__(self, disk: Disk, database: Database, turn: asyncio.Lock, patience: float, clock: Clock) -> None:
        self._disk = disk
        self._database = database
        self._turn = turn
        self._patience = patience
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Begins, unless it is under way or nothing waits."""
        if self._disk.rows and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._empty())

    async def close(self) -> None:
        """Ends; what still waits does so until the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _empty(self) -> None:
        pause, flows = SHORTEST_PAUSE, False
        while self._disk.rows:
            try:
                await self._bring(last=flows and self._disk.rows <= CHUNK)
            except (Unstored, sqlite3.Error) as error:
                if pause == SHORTEST_PAUSE:
                    log.warning("ingest.waiting", rows=self._disk.rows, problem=str(error))
                flows = False
                await self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                pause, flows = SHORTEST_PAUSE, True
        log.info("ingest.drained")

    async def _bring(self, *, last: bool) -> None:
        """Stores a chunk, then takes it off the disk: after a kill between the two it is stored again, in vain.

        While rows come without a pause, there would always be one more: so the last chunk is stored while those that
        come have to wait, which they do for as long as for a batch.
        """
        async with self._turn if last else nullcontext():
            chunk = await self._disk.first(CHUNK)
            refused = await self._store(chunk, self._patience if last else SECONDS)
            await self._disk.remove(chunk[-1].number, refused)

    async def _store(self, chunk: Sequence[Waiting], seconds: float) -> list[tuple[Waiting, str]]:
        """Stores the rows but those that are refused for good, which it finds by halving; returns these."""
        try:
            await self._database.store(
                by_table((waiting.table, [waiting.row]) for waiting in chunk), seconds, named=False
            )
        except Unstored as failure:
            refusal = failure.refusal
            if refusal is None:
                raise
            if len(chunk) == 1:
                log.error("ingest.row_refused", table=chunk[0].table, sqlstate=refusal.state)  # noqa: TRY400  (it is no crash, and the words may quote the row)
                return [(chunk[0], refusal.state)]
            half = len(chunk) // 2
            return [*await self._store(chunk[:half], seconds), *await self._store(chunk[half:], seconds)]
        return []
