"""PostgreSQL of the bench's own, with the demo's tables, and as many messages as asked for."""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self

from bench.child import CORES, LOAD
from exporter.demo.database import Database

RATE = 2
"""Messages a second, in the history and while the bench runs: 5 million are those of 29 days."""

WRITER = "bench-writer"
"""The application's name of who writes during a measurement, whose part of the CPU is left out."""

_SETTINGS = {
    "autovacuum": "off",  # it would come at some measurement, and not at another
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "shared_buffers": "1GB",
}
_TICKS = os.sysconf("SC_CLK_TCK")

_INDEXES = {
    "Message_pkey": 'ALTER TABLE "Message" ADD CONSTRAINT "Message_pkey" PRIMARY KEY ("id")',
    "Message_createdAt_idx": 'CREATE INDEX "Message_createdAt_idx" ON "Message" ("createdAt")',
}

MODELS = (
    *(("openai", model) for model in ("gpt-5", "gpt-5-mini", "gpt-4o")),
    *(("anthropic", model) for model in ("claude-opus", "claude-sonnet", "claude-haiku")),
    *(("google", model) for model in ("gemini-pro", "gemini-flash", "gemma")),
)
USERS = 1000

_SERVING = f"""
SELECT array_agg(pid) FROM pg_stat_activity
WHERE backend_type IN ('client backend', 'parallel worker', 'io worker')
  AND application_name <> '{WRITER}' AND pid <> pg_backend_pid()
"""
"""What works for the exporters."""

# The newest message has the number 1: the more there are, the further they go back.
_FILL = """
INSERT INTO "Message" ("id", "userId", "content", "provider", "model", "tokens", "createdAt")
SELECT '{prefix}' || lpad(n::text, 12, '0'), 'user-' || n % {users}, 'How does it work, and what does it cost?',
       ({providers})[1 + n % 9], ({models})[1 + n % 9], n::bigint * 7919 % 1500,
       timezone('UTC', now()) - n * interval '1 s' / {rate}
FROM generate_series({first}, {last}) AS n
"""


class Server:
    """A cluster with the demo's tables; leaving the `with` block ends it and deletes its files."""

    def __init__(self, **settings: str) -> None:
        """`settings` are PostgreSQL's, beside the bench's own."""
        self._runner = asyncio.Runner()
        self._folder = Path(mkdtemp(prefix="chatterfy-bench-"))
        self._database = Database(self._folder)
        self._settings = {**_SETTINGS, **settings}

    def __enter__(self) -> Self:
        os.sched_setaffinity(0, CORES)  # The server has all cores, as it would.
        try:
            self._run(self._start())
        except BaseException:
            self._close()
            raise
        finally:
            os.sched_setaffinity(0, {LOAD})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def url(self) -> str:
        """Where the exporters connect, as a role that may read all."""
        return self._database.url

    @property
    def writer_url(self) -> str:
        """Where the writer connects, as the tables' owner."""
        return f"postgresql://postgres@/postgres?host={self._folder / 'postgres'}"

    def value(self, sql: str) -> Any:
        """What a query gives."""
        return self._run(self._database.pool.fetchval(sql))

    async def _start(self) -> None:
        await self._database.start()
        for name, value in self._settings.items():
            await self._execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await self._database.stop()
        await self._database.start()

    async def _execute(self, sql: str) -> None:
        async with self._database.pool.acquire() as connection:
            await connection.execute(sql, timeout=300)

    def _run(self, work: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await work

        return self._runner.run(awaited())

    def _close(self) -> None:
        with self._runner:
            self._run(self._database.close())
        shutil.rmtree(self._folder)


class Messages(Server):
    """One with as many messages as asked for, and the CPU that it uses."""

    def __init__(self) -> None:
        super().__init__()
        self._filled = 0

    def fill(self, number: int) -> None:
        """Adds older messages until there are so many."""
        self._run(self._fill("m", self._filled + 1, number, RATE))
        self._filled = number

    def fill_latest(self, rate: int, seconds: int) -> None:
        """Adds as many messages as come in the last `seconds` at that rate."""
        self._run(self._fill("l", 1, rate * seconds, rate))

    def count(self) -> int:
        """How many messages there are."""
        return int(self.value('SELECT count(*) FROM "Message"'))

    def cpu(self) -> float:
        """Seconds of CPU that the server used so far for who asks it, but for the writer and the bench itself.

        That is the sessions, their parallel workers, those who read files for them, and all such that have ended; what
        runs in the background comes on top in any case. Taken from the processes' CPU clocks, where they have not
        ended: the kernel counts the others together in steps of 10 ms.
        """
        postmaster = (self._folder / "postgres/postmaster.pid").read_text().split()[0]
        ended = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()[13:15]
        used = sum(map(int, ended)) / _TICKS
        for pid in self.value(_SERVING) or ():
            with suppress(OSError):  # it has just ended
                used += time.clock_gettime(~pid << 3 | 2)
        return used

    async def _start(self) -> None:
        await super()._start()
        await self._execute('ALTER TABLE "Message" SET UNLOGGED')
        people = "'user-' || n, n || '@chatterfy.test', now() FROM generate_series"
        await self._execute(f'INSERT INTO "User" ("id", "email", "updatedAt") SELECT {people}(0, {USERS - 1}) AS n')

    async def _fill(self, prefix: str, first: int, last: int, rate: int) -> None:
        """Without the indexes, which are made anew afterwards: that is many times faster."""
        providers, models = (f"'{{{','.join(column)}}}'::text[]" for column in zip(*MODELS, strict=True))
        for index in _INDEXES:
            if index.endswith("pkey"):
                await self._execute(f'ALTER TABLE "Message" DROP CONSTRAINT "{index}"')
            else:
                await self._execute(f'DROP INDEX "{index}"')
        await self._execute(
            "SET session_replication_role = replica;"  # no look at the user for each message
            + _FILL.format(
                prefix=prefix, first=first, last=last, rate=rate, users=USERS, providers=providers, models=models
            )
        )
        for statement in _INDEXES.values():
            await self._execute(statement)
        await self._execute('VACUUM ANALYZE "Message"')
