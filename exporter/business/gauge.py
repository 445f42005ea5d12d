"""Gauges: a query's rows as they are now."""

from exporter.business.horizon import SNAPSHOT
from exporter.business.query import Query
from exporter.business.values import filled, largest, samples, totals
from exporter.metrics.paths import PATH_RULES, Rules
from exporter.metrics.store import DROPPED, Store
from exporter.tables import Tables
from exporter.tools.sql import Pool


class Gauge:
    """One gauge query: what it gives replaces what it gave before."""

    cold = False

    def __init__(self, query: Query, tables: Tables, pool: Pool, store: Store, rules: Rules = PATH_RULES) -> None:
        self.query = query
        self._statement = query.statement(tables, rules=rules)
        self._pool = pool
        self._store = store
        self._shown: set[tuple[str, ...]] = set()

    async def refresh(self, seconds: float) -> None:
        """Asks within `seconds` and shows the answer; raises Failed."""
        async with self._pool.transaction(SNAPSHOT, seconds) as connection:
            rows = await connection.fetch(self._statement)
        values, dropped = largest(self.query, filled(self.query, totals(self.query, map(tuple, rows))), self._shown)
        self._shown = {key[:-1] for key in values}
        self._store.replace(f"query:{self.query.name}", samples(self.query, values))
        if dropped:
            self._store.add(DROPPED, self.query.metrics[0][0].name, amount=dropped)

    def clear(self) -> None:
        """Takes the values off the page: they are stale, or the query is off."""
        self._store.replace(f"query:{self.query.name}", ())
