"""A database of messages and requests that remembers, by triggers, every row that was ever committed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import asyncpg

from tests.support.postgres import Postgres

DDL = Path(__file__).parents[1] / "data/prisma/default.sql"
AUDIT = """
CREATE TABLE audit_message (id text PRIMARY KEY, provider text, model text, tokens int);
CREATE TABLE audit_request (id text PRIMARY KEY, endpoint text, method text, duration float8);
CREATE INDEX ON "Metric" ("timestamp");
INSERT INTO "User" (id, email, "updatedAt") VALUES ('u', 'u@example.com', now());
CREATE FUNCTION audit_messages() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO audit_message VALUES (NEW.id, NEW.provider, NEW.model, NEW.tokens)
    ON CONFLICT (id) DO UPDATE SET tokens = NEW.tokens;
  RETURN NULL; END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON "Message" FOR EACH ROW EXECUTE FUNCTION audit_messages();
CREATE FUNCTION audit_requests() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO audit_request VALUES (NEW.id, NEW.endpoint, NEW.method, NEW.duration);
  RETURN NULL; END $$;
CREATE TRIGGER audit AFTER INSERT ON "Metric" FOR EACH ROW EXECUTE FUNCTION audit_requests();
"""
INSERT_MESSAGE = """
INSERT INTO "Message" (id, "userId", content, provider, model, tokens, "createdAt")
VALUES ($1, 'u', '', $2, 'm', $3, clock_timestamp() - $4 * interval '1 second')
"""
INSERT_REQUEST = """
INSERT INTO "Metric" VALUES ($1, 'api_request', '/v1/orgs/17', 'GET', $2, 200, clock_timestamp())
"""
_databases = count(1)


@asynccontextmanager
async def audited_database(postgres: Postgres) -> AsyncIterator[str]:
    """A database of its own in the cluster; gives its URL."""
    name = f"audited{next(_databases)}"
    await postgres.execute(f"CREATE DATABASE {name}")
    connection = await asyncpg.connect(postgres.url(database=name))
    await connection.execute(DDL.read_text().replace("CREATE SCHEMA", "-- CREATE SCHEMA") + AUDIT)
    await connection.close()
    try:
        yield postgres.url(database=name)
    finally:
        await postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


LATE = "late"
"""The provider of rows that are filled in behind the horizon: where rows also go, nothing could tell the two apart."""
INSERT_LATE = """
INSERT INTO "Message" (id, "userId", content, provider, model, tokens, "createdAt")
VALUES ($1, 'u', '', $2, 'm', $3, clock_timestamp() - interval '2 days')
"""
DELETE_CLOSED = """
DELETE FROM "Message" WHERE id IN (
  SELECT id FROM "Message" WHERE "createdAt" < to_timestamp($1) AND provider <> $2
  ORDER BY "createdAt" DESC LIMIT 3 FOR UPDATE SKIP LOCKED
)
"""


class Writers:
    """Writes at random: long transactions, savepoints, rollbacks, edits of fresh rows, clocks that are behind.

    With a `horizon` (epoch seconds) closed rows are deleted too, and rows filled in behind it.
    """

    def __init__(
        self, url: str, seed: int, *, skew: float, fresh: float, horizon: Callable[[], float] | None = None
    ) -> None:
        self._url = url
        self._random = Random(seed)
        self._skew = skew
        self._fresh = fresh
        self._acts: list[Callable[[asyncpg.Connection], Awaitable[object]]]
        self._acts = [self._one, self._one, self._long, self._savepoint, self._edit]
        if horizon:
            self._acts += [partial(self._delete, horizon), self._backfill]
        self._ids = count(1)
        self.writing = True

    async def run(self, writers: int = 3) -> None:
        """Writes until `writing` is False; a lost connection is opened again."""
        await asyncio.gather(*(self._write() for _ in range(writers)))

    async def _write(self) -> None:
        while self.writing:
            try:
                connection = await asyncpg.connect(self._url, server_settings={"timezone": "UTC"})
                try:
                    while self.writing:
                        await self._random.choice(self._acts)(connection)
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.05)

    async def _insert(self, connection) -> str:
        key, random = f"{self._url[-12:]}-{next(self._ids)}", self._random
        provider, behind = random.choice(["openai", "anthropic", None]), random.random() * self._skew
        await connection.execute(INSERT_MESSAGE, key, provider, random.randint(0, 50), behind)
        await connection.execute(INSERT_REQUEST, key, random.choice([3.0, 5.0, 40.0, 2000.0, 7000.0]))
        return key

    async def _one(self, connection) -> None:
        await self._insert(connection)

    async def _long(self, connection) -> None:
        transaction = connection.transaction()
        await transaction.start()
        await self._insert(connection)
        await asyncio.sleep(self._random.random())
        await self._insert(connection)
        await (transaction.rollback() if self._random.random() < 0.3 else transaction.commit())

    async def _savepoint(self, connection) -> None:
        async with connection.transaction():
            await self._insert(connection)
            inner = connection.transaction()
            await inner.start()
            await self._insert(connection)
            await asyncio.sleep(self._random.random() / 4)
            await (inner.rollback() if self._random.random() < 0.5 else inner.commit())

    async def _edit(self, connection) -> None:
        """Fills in tokens afterwards, as an answer that streams does, while the row is fresh."""
        key = await self._insert(connection)
        await asyncio.sleep(self._random.random() * self._fresh / 4)
        more = self._random.randint(1, 9)
        await connection.execute('UPDATE "Message" SET tokens = tokens + $2 WHERE id = $1', key, more)

    async def _delete(self, horizon: Callable[[], float], connection) -> None:
        await connection.execute(DELETE_CLOSED, horizon(), LATE)

    async def _backfill(self, connection) -> None:
        await connection.execute(INSERT_LATE, f"{self._url[-12:]}-{next(self._ids)}", LATE, 7)


async def audited(url: str) -> dict[str, dict[tuple[str, ...], float]]:
    """What was ever committed: messages and tokens by provider and model, requests by duration."""
    connection = await asyncpg.connect(url)
    messages = await connection.fetch(
        "SELECT coalesce(provider, 'unknown'), model, count(*), sum(tokens) FROM audit_message GROUP BY 1, 2"
    )
    requests = await connection.fetch("SELECT duration / 1000 AS seconds, count(*) FROM audit_request GROUP BY 1")
    await connection.close()
    return {
        "messages": {(row[0], row[1]): float(row[2]) for row in messages},
        "tokens": {(row[0], row[1]): float(row[3]) for row in messages},
        "requests": {(str(row[0]),): float(row[1]) for row in requests},
    }
