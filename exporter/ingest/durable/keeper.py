"""The durable path: a row is in the app's database, or on this machine's disk, before whoever sent it hears so.

Rows that come while a batch is under way are the next batch. As long as the database takes them they go there; once it
does not, they go to the spool, all of them, until the drain has brought every one of those to the database.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from exporter.clock import Clock
from exporter.ingest.durable.database import Database, Unstored, by_table
from exporter.ingest.durable.disk import Disk
from exporter.ingest.durable.drain import Drain
from exporter.ingest.durable.options import KeepingOptions
from exporter.ingest.durable.spool import moment
from exporter.ingest.durable.target import COLUMNS
from exporter.limits import Rejected, Row
from exporter.metrics.catalogue import Metric
from exporter.metrics.store import Store
from exporter.tables import Tables
from exporter.tools.database_url import DatabaseUrl

log = structlog.get_logger(__name__)

KEPT = Metric(
    "chatterfy_ingest_kept_rows_total",
    "counter",
    "Rows that were made safe, by table and by where: in the database, or in the spool; counted before the answer.",
    ("table", "where"),
)
SECONDS = Metric(
    "chatterfy_ingest_keep_seconds",
    "histogram",
    "How long it took until a request's rows were safe; observed at every request.",
    ("where",),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

PATIENCE = 1.0
"""Seconds that a request waits for the database; then its rows go to the spool."""
GATHERING = 0.001
"""Seconds before each batch, in which whoever has just been answered may send more: nobody notices them, and they spare
a busy exporter most of its transactions."""
MOST = 5000
"""Rows of a batch; a request's are never divided."""
ROUNDING = 1.0
"""Seconds by which a column may round a row's time, where it keeps no fractions."""
RETRY_AFTER = 5
"""Seconds after which a sender may try again where neither database nor disk takes its rows."""

New = list[bool] | None
"""Of each row whether it is new, or was kept before, as far as that is known; None where all are new."""


@dataclass(eq=False)
class _Request:
    """Rows that are to be kept, and whoever waits for it."""

    table: str
    rows: Sequence[Row]
    named: bool
    since: float
    oldest: float
    answer: "asyncio.Future[New]"

    def settle(self, new: New) -> None:
        if not self.answer.done():
            self.answer.set_result(new)

    def fail(self, rejected: Rejected) -> None:
        if not self.answer.done():
            self.answer.set_exception(rejected)


class DurableKeeper:
    """Keeps rows, and knows how old the oldest is that is not in the database yet (`hold`)."""

    def __init__(self, url: DatabaseUrl, tables: Tables, options: KeepingOptions, store: Store, clock: Clock) -> None:
        """Raises ExporterError where the spool cannot be had."""
        self.late = options.late
        self._store = store
        self._clock = clock
        self._disk = Disk(options.spool, store, clock)
        self._database = Database(url, tables, clock)
        self._turn = asyncio.Lock()
        self._drain = Drain(self._disk, self._database, self._turn, PATIENCE, clock)
        self._gathered: deque[_Request] = deque()
        self._under_way: set[_Request] = set()
        self._writing: asyncio.Task[None] | None = None
        self._full = False
        # Counters may have closed all that was before the start.
        self._floor = clock.now()

    def start(self) -> None:
        """Begins to bring to the database what was left in the spool."""
        self._drain.wake()

    async def accept(self, table: str, rows: Sequence[Row], *, named: bool) -> New:
        """Returns once every row is safe; tells which are new, where keys were `named` by the sender. Raises Rejected.

        A row whose key is in the database or in the spool is not: it is left as it is. While the spool is in use, what
        is in the database is not known.
        """
        if not rows:
            return None
        oldest = min(map(moment, rows))
        if oldest < self._floor:
            rows = [{**row, "created_at": max(moment(row), self._floor)} for row in rows]
        answer: asyncio.Future[New] = asyncio.get_running_loop().create_future()
        request = _Request(table, rows, named, self._clock.monotonic(), max(oldest, self._floor), answer)
        self._under_way.add(request)
        self._gathered.append(request)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await answer

    def hold(self, table: str) -> float | None:
        """Before which no row of the table can come any more, in seconds since 1970; None for a table not written here.

        To be asked before what is in the table is looked at.
        """
        if table not in COLUMNS:
            return None
        bounds = [self._clock.now() - self.late, self._disk.oldest.get(table)]
        bounds += [request.oldest for request in self._under_way if request.table == table]
        oldest = min(bound for bound in bounds if bound is not None)
        self._floor = max(self._floor, oldest)
        return oldest - ROUNDING

    async def close(self) -> None:
        """Finishes what was accepted, within a few seconds; what is in the spool stays there."""
        if self._writing:
            await asyncio.wait([self._writing], timeout=3 * PATIENCE)
            self._writing.cancel()
            await asyncio.wait([self._writing])
        await self._drain.close()
        if self._disk.rows:
            log.warning("ingest.rows_left", rows=self._disk.rows, path=str(self._disk.path))
        await self._database.close()
        await self._disk.close()

    async def _write(self) -> None:
        while self._gathered:
            await self._clock.sleep(GATHERING)
            async with self._turn:
                batch = self._batch()
                try:
                    await self._keep(batch)
                finally:
                    for request in batch:
                        request.fail(_refused())
                    self._under_way.difference_update(batch)

    def _batch(self) -> list[_Request]:
        batch, count = [], 0
        while self._gathered and count < MOST:
            batch.append(self._gathered.popleft())
            count += len(batch[-1].rows)
        return batch

    async def _keep(self, batch: list[_Request]) -> None:
        """Makes the requests' rows safe, and tells whoever waits."""
        waited = self._clock.monotonic() - batch[0].since
        if self._disk.rows or waited > PATIENCE or not await self._stored(batch):
            await self._spooled(batch)

    async def _stored(self, batch: list[_Request]) -> bool:
        """Whether the database has taken the rows, or has refused some for good."""
        rows = by_table((request.table, request.rows) for request in batch)
        try:
            new = await self._database.store(rows, PATIENCE, named=any(request.named for request in batch))
        except Unstored as failure:
            refusal = failure.refusal
            if refusal is None:
                log.warning("ingest.spooling", reason=failure.reason, detail=failure.detail)
                return False
            if len(batch) == 1:
                batch[0].fail(Rejected(400, "body", f"the database does not take this: {refusal.words}"))
                return True
            for request in batch:  # one of them is to blame; the others shall not be refused for it
                await self._keep([request])
            return True
        for request in batch:
            known = new[request.table]
            self._settle(request, known and _cut(known, len(request.rows)), "database")
        return True

    async def _spooled(self, batch: list[_Request]) -> None:
        rows = [(request.table, row) for request in batch for row in request.rows]
        try:
            new = await self._disk.append(rows)
        except sqlite3.Error as error:
            if not self._full:
                self._full = True
                log.error("ingest.spool_failed", problem=str(error))  # noqa: TRY400  (it is no crash)
            for request in batch:
                request.fail(_refused())
            return
        self._full = False
        for request in batch:
            self._settle(request, _cut(new, len(request.rows)), "spool")
        self._drain.wake()

    def _settle(self, request: _Request, new: New, where: str) -> None:
        self._store.add(KEPT, request.table, where, amount=len(request.rows) if new is None else sum(new))
        self._store.observe(SECONDS, self._clock.monotonic() - request.since, where)
        request.settle(new)


def _cut(new: list[bool], count: int) -> list[bool]:
    """Takes that many from the front."""
    first = new[:count]
    del new[:count]
    return first


def _refused() -> Rejected:
    return Rejected(
        503, "storage", "neither the database nor the disk takes this now: send it again later", RETRY_AFTER
    )
