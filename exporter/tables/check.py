"""Is what the mapping names in the database, and can a window of time be read without the rest?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import asyncpg

from exporter.tables.options import LONGEST
from exporter.tables.quoting import quoted
from exporter.tables.reads import Reads, wanted
from exporter.tables.table import Table

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Connection = object

_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"

_RELATIONS = """
SELECT n.nspname AS schema, c.relname AS name, c.oid, c.relkind = 'p' AS partitioned,
       c.relkind IN ('r', 'p', 'm') AS indexable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY($1::text[])
"""

_COLUMNS = """
SELECT attrelid AS oid, attname AS name FROM pg_attribute
WHERE attrelid = ANY($1::oid[]) AND attnum > 0 AND NOT attisdropped
"""

_INDEXES = """
WITH leaf AS (
  SELECT c.oid FROM pg_partition_tree($1::oid::regclass) AS tree JOIN pg_class c ON c.oid = tree.relid
  WHERE tree.isleaf AND c.relkind = 'r'
), stored AS (
  SELECT oid FROM leaf UNION SELECT $1::oid WHERE NOT EXISTS (SELECT FROM leaf)
)
SELECT stored.oid AS stored, ARRAY(
  SELECT attname FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS key(number, place)
  LEFT JOIN pg_attribute ON attrelid = i.indrelid AND attnum = key.number ORDER BY place
) AS keys
FROM stored LEFT JOIN (
  SELECT i.* FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am ON pg_am.oid = c.relam
  WHERE i.indisvalid AND i.indpred IS NULL AND pg_am.amname IN ('btree', 'brin')
) AS i ON i.indrelid = stored.oid
"""
"""The key columns (NULL for an expression) of every index that could serve, by the tables that hold the rows."""

_IS_TAKEN = (
    "SELECT count(*) > 0 FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE (nspname, relname) = ($1, $2)"
)


@dataclass(frozen=True)
class TableProblem:
    """What is wrong with a logical table: a missing column is the column's, all else the whole table's."""

    table: str
    column: str | None
    message: str
    advice: str
    fatal: bool
    """Whether queries that read it cannot run."""

    def hits(self, reads: Reads) -> bool:
        """Whether a query that reads this cannot run."""
        columns = wanted(reads).get(self.table)
        return self.fatal and columns is not None and (self.column is None or self.column in columns)


Needed = Sequence[tuple[str, Table, Sequence[str]]]
"""Logical names, tables, and the logical columns that are needed of them."""


async def missing(connection: Connection, needed: Needed) -> list[TableProblem]:
    """Schemas, tables and columns that are not there."""
    schemas = [row["nspname"] for row in await connection.fetch(_SCHEMAS)]
    rows = await connection.fetch(_RELATIONS, list({table.schema for _, table, _ in needed}))
    relations = {(row["schema"], row["name"]): row["oid"] for row in rows}
    columns: dict[object, list[str]] = {oid: [] for oid in relations.values()}
    there = [relations[place] for _, table, _ in needed if (place := (table.schema, table.name)) in relations]
    for row in await connection.fetch(_COLUMNS, there):
        columns[row["oid"]].append(row["name"])
    problems: list[TableProblem] = []
    for name, table, wished in needed:
        if table.schema not in schemas:
            message = f"the schema {quoted(table.schema)} does not exist{_suggest(table.schema, schemas)}"
            advice = f"set tables.schema or tables.{name}.schema to the one that has the table"
            problems.append(TableProblem(name, None, message, advice, fatal=True))
        elif (table.schema, table.name) not in relations:
            problems.append(_missing_table(name, table, [name for schema, name in relations if schema == table.schema]))
        else:
            problems += _missing_columns(name, table, wished, columns[relations[table.schema, table.name]])
    return problems


def _missing_table(name: str, table: Table, known: list[str]) -> TableProblem:
    message = f"the table {quoted(table.schema, table.name)} does not exist{_suggest(table.name, known)}"
    advice = f"set tables.{name}.table, or tables.schema, to where it is"
    if table.other_name in known:
        advice = f"set tables.preset to the other naming, or tables.{name}.table to {table.other_name}"
    return TableProblem(name, None, message, advice, fatal=True)


def _missing_columns(name: str, table: Table, wished: Sequence[str], known: list[str]) -> Iterator[TableProblem]:
    for column, physical in [
        *((column, table.columns[column]) for column in wished),
        *((None, key) for key in table.only),
    ]:
        if physical not in known:
            of = quoted(table.schema, table.name)
            message = f"the column {quoted(physical)} of {of} does not exist{_suggest(physical, known)}"
            advice = (
                f"set tables.{name}.columns.{column} to its name"
                if column
                else f"set tables.{name}.only to what tells its rows from others, or to {{}} if it has no others"
            )
            yield TableProblem(name, column, message, advice, fatal=True)


async def unindexed(connection: Connection, growing: Iterable[tuple[str, Table, str]]) -> list[TableProblem]:
    """Growing tables whose rows of a time cannot be found without reading all: logical name, table, logical column."""
    problems = []
    for name, table, column in growing:
        rows = await connection.fetch(_RELATIONS, [table.schema])
        found = next((row for row in rows if row["name"] == table.name and row["indexable"]), None)
        if found is None:
            continue  # a view, whose tables are the app's business
        time = table.columns[column]
        indexes = await connection.fetch(_INDEXES, found["oid"])
        served = {row["stored"] for row in indexes if _serves(row["keys"], time, table.divided_by)}
        if served != {row["stored"] for row in indexes}:
            place = quoted(table.schema, table.name)
            message = f"{place} has no index on {quoted(time)}: every refresh reads the whole table"
            advice = await _statement(connection, table, time, partitioned=found["partitioned"])
            problems.append(TableProblem(name, column, message, advice, fatal=False))
    return problems


def _serves(keys: Sequence[str | None], time: str, divided_by: Sequence[str]) -> bool:
    """Whether the time is the first key, or all before it are compared with a constant."""
    return time in keys and all(key in divided_by for key in keys[: keys.index(time)])


async def _statement(connection: Connection, table: Table, time: str, *, partitioned: bool) -> str:
    """The statement that cures it. The index gets the name that Prisma would give it, unless that is taken."""
    # Shortened as bytes, where a character may be cut in two.
    stem = f"{table.name}_{time}".encode()[: LONGEST - len("_idx")].decode(errors="ignore")
    name = "" if await connection.fetchval(_IS_TAKEN, table.schema, f"{stem}_idx") else f"{quoted(f'{stem}_idx')} "
    # A partitioned table takes no CONCURRENTLY.
    how = "" if partitioned else "CONCURRENTLY "
    return f"CREATE INDEX {how}{name}ON {quoted(table.schema, table.name)} ({quoted(time)});"


def _suggest(name: str, known: Iterable[str]) -> str:
    """The nearest name: nearest of all is one that differs in case and underscores alone."""
    plain = {other.casefold().replace("_", ""): other for other in known}
    near = get_close_matches(name.casefold().replace("_", ""), plain, n=1, cutoff=0.6)
    return f" (did you mean {quoted(plain[near[0]])}?)" if near else ""
