"""From logical names to the app's own, as CTEs that stand in front of a query."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from exporter.tables.check import Connection, TableProblem, missing, unindexed
from exporter.tables.options import TablesOptions
from exporter.tables.reads import Reads, wanted
from exporter.tables.table import Table, Window


@dataclass(frozen=True)
class Tables:
    """The whole mapping, by logical name."""

    tables: Mapping[str, Table]

    @classmethod
    def of(cls, options: TablesOptions, default_schema: str) -> "Tables":
        """What the options say; `default_schema` (of the database's URL) holds where they name none."""
        schema = options.schema_ or default_schema
        return cls({name: Table.of(table, options.preset, schema) for name, table in options.tables()})

    def with_clause(self, reads: Reads, window: Window | None = None) -> str:
        """`WITH message AS NOT MATERIALIZED (SELECT ...), ...`, to stand in front of a query over logical names."""
        return "WITH " + ", ".join(
            f"{name} AS NOT MATERIALIZED ({self.tables[name].select(columns, bounds)})"
            for name, columns, bounds in _bounded(reads, window)
        )

    def rights(self, reads: Reads, window: Window | None = None) -> dict[tuple[str, str], tuple[str, ...]]:
        """The physical columns that `with_clause` reads, by schema and table: what a role must be able to SELECT."""
        found: dict[tuple[str, str], set[str]] = {}
        for name, columns, bounds in _bounded(reads, window):
            found.setdefault(self.physical(name), set()).update(self.tables[name].needs(columns, bounds))
        return {place: tuple(sorted(columns)) for place, columns in found.items()}

    def columns(self, table: str) -> Mapping[str, str]:
        """Logical names to physical ones."""
        return self.tables[table].columns

    def physical(self, table: str) -> tuple[str, str]:
        """Schema and name in the database."""
        return self.tables[table].schema, self.tables[table].name

    async def problems(
        self, connection: Connection, reads: Reads, growing: Iterable[tuple[str, str]] = ()
    ) -> list[TableProblem]:
        """What the database lacks for these tables, and the indexes on time that growing (table, column)s lack.

        Reads the catalogue alone, which any role may. Views and partitioned tables are as good as tables.
        """
        needed = wanted(reads)
        growing = list(dict.fromkeys(growing))
        for name, column in growing:
            needed[name] = tuple(dict.fromkeys((*needed.get(name, ()), column)))
        found = await missing(connection, [(name, self.tables[name], columns) for name, columns in needed.items()])
        lacking = {(problem.table, problem.column) for problem in found}
        timed = [
            (name, self.tables[name], column)
            for name, column in growing
            if lacking.isdisjoint({(name, None), (name, column)})
        ]
        return [*found, *await unindexed(connection, timed)]


def _bounded(reads: Reads, window: Window | None) -> Iterator[tuple[str, tuple[str, ...], Window | None]]:
    """Each table with its columns and, where it is its own, the window."""
    tables = wanted(reads)
    if window and window.table not in tables:
        raise ValueError(f"the window is of {window.table}, which is not read")
    for name, columns in tables.items():
        yield name, columns, window if window and window.table == name else None
