"""Whatever several sessions do, in whatever order: counters end as the audit has them, and never go down."""

import tempfile
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.business.horizon import Counter
from exporter.business.query import load_query
from exporter.business.state import StateFile
from exporter.clock import SystemClock
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.tables import Tables, TablesOptions
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool
from tests.support.audit import DELETE_CLOSED, INSERT_LATE, INSERT_MESSAGE, LATE, audited, audited_database

SETTLE = 0.02
"""Seconds; no row's clock is further behind than half of it."""
QUERY = """-- metrics:
--   own_messages_total: {column: messages, help: Messages.}
--   own_tokens_total: {column: tokens, help: Tokens.}
-- kind: counter
-- reads: [message]
-- labels: [provider, model]
-- time: message.created_at
-- settle: 20ms
SELECT provider, model, count(*) AS messages, sum(tokens) AS tokens FROM message GROUP BY 1, 2
"""

who = st.sampled_from(["a", "b", "c"])
acts = st.one_of(
    st.tuples(st.just("insert"), who, st.sampled_from(["openai", "anthropic"]), st.floats(0, SETTLE / 2)),
    st.tuples(st.just("edit"), who),
    st.tuples(st.sampled_from(["begin", "commit", "rollback", "savepoint", "undo"]), who),
    st.tuples(st.sampled_from(["refresh", "wait", "kill", "delete", "remove", "backfill", "recount"])),
)


class Site:
    """Sessions that write, and an exporter that counts; each act is a method."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        (folder / "messages.sql").write_text(QUERY)
        self.sessions: dict[str, asyncpg.Connection] = {}
        self.savepoints: dict[str, int] = {}
        self.written: dict[str, str] = {}
        self.keys = 0
        self.highest: dict[str, float] = {}

    async def __aenter__(self):
        for name in ("a", "b", "c", "alone"):
            self.sessions[name] = await asyncpg.connect(self.url, server_settings={"timezone": "UTC"})
        await self.sessions["alone"].execute('TRUNCATE "Message" CASCADE; TRUNCATE audit_message')
        self.begin_counting()
        return self

    async def __aexit__(self, *_):
        await self.pool.close()
        await self.state.close()
        for session in self.sessions.values():
            await session.close()

    def begin_counting(self):
        self.pool = Pool(parse_database_url(self.url), 1, SystemClock())
        self.state, self.store = StateFile(self.folder / "state.sqlite"), Store(1000)
        self.page = Page(self.store)
        tables = Tables.of(TablesOptions(), "public")
        self.counter = Counter(
            load_query(self.folder / "messages.sql"), tables, self.pool, self.state, self.store, skew=SETTLE
        )

    def key(self):
        self.keys += 1
        return str(self.keys)

    async def begin(self, name):
        if not self.sessions[name].is_in_transaction():
            await self.sessions[name].execute("BEGIN")
            self.written.pop(name, None)

    async def commit(self, name):
        await self.end(name, "COMMIT")

    async def rollback(self, name):
        await self.end(name, "ROLLBACK")

    async def end(self, name, how):
        if self.sessions[name].is_in_transaction():
            await self.sessions[name].execute(how)
        self.written.pop(name, None)
        self.savepoints.pop(name, None)

    async def savepoint(self, name):
        if self.sessions[name].is_in_transaction():
            self.savepoints[name] = self.savepoints.get(name, 0) + 1
            await self.sessions[name].execute(f"SAVEPOINT s{self.savepoints[name]}")

    async def undo(self, name):
        if self.savepoints.get(name):
            await self.sessions[name].execute(f"ROLLBACK TO s{self.savepoints[name]}")
            self.savepoints[name] -= 1

    async def insert(self, name, provider, behind):
        self.written[name] = self.key()
        await self.sessions[name].execute(INSERT_MESSAGE, self.written[name], provider, 3, behind)

    async def edit(self, name):
        """Fills in a row that its own open transaction wrote: it cannot be closed yet."""
        if self.sessions[name].is_in_transaction() and name in self.written:
            await self.sessions[name].execute(
                'UPDATE "Message" SET tokens = tokens + 2 WHERE id = $1', self.written[name]
            )

    async def wait(self):
        await self.sessions["alone"].execute("SELECT pg_sleep($1)", SETTLE * 2)

    async def backfill(self):
        await self.sessions["alone"].execute(INSERT_LATE, self.key(), LATE, 5)

    async def delete(self):
        """Rows that are closed."""
        await self.refresh()
        name = 'chatterfy_query_horizon_timestamp_seconds{query="messages"} '
        horizon = next(line for line in self.text().splitlines() if line.startswith(name)).rpartition(" ")[2]
        await self.sessions["alone"].execute(DELETE_CLOSED, float(horizon), LATE)

    async def remove(self):
        """A row that may not be closed, between two refreshes that see it and see it gone."""
        await self.refresh()
        await self.sessions["alone"].execute(
            'DELETE FROM "Message" WHERE id IN (SELECT id FROM "Message" WHERE provider <> $1'
            ' ORDER BY "createdAt" DESC LIMIT 1 FOR UPDATE SKIP LOCKED)',
            LATE,
        )
        await self.refresh()

    async def refresh(self):
        await self.counter.refresh(10)
        await self.look()

    async def recount(self):
        await self.counter.recount(10)

    async def kill(self):
        """Nothing but the state file is left."""
        await self.pool.close()
        await self.state.close()
        self.begin_counting()

    def text(self):
        return self.page.text.plain.decode()

    async def look(self):
        await self.page.refresh()
        for line in self.text().splitlines():
            if line.startswith("own_"):
                name, _, number = line.rpartition(" ")
                assert float(number) >= self.highest.get(name, 0.0), line
                self.highest[name] = float(number)


@pytest.fixture
async def url(postgres_cluster):
    async with audited_database(postgres_cluster) as url:
        yield url


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(acts, min_size=15, max_size=40))
async def test_any_order_of_acts_ends_as_the_audit_has_it(url, acts):
    with tempfile.TemporaryDirectory() as folder:
        async with Site(url, Path(folder)) as site:
            for act, *arguments in acts:
                await getattr(site, act)(*arguments)
            for name in ("a", "b", "c"):
                await site.commit(name)
            await site.refresh()
            await site.recount()
            await site.refresh()
            truth = await audited(url)

    expected = {
        f'own_{what}_total{{model="{model}",provider="{provider}"}}': number
        for what in ("messages", "tokens")
        for (provider, model), number in truth[what].items()
    }
    assert site.highest == expected
