"""Which logical tables and columns there are, and which of them a query needs."""

import re
from collections.abc import Collection, Iterable, Mapping

from exporter.tables.options import TablesOptions

Reads = Iterable[str] | Mapping[str, Collection[str]]
"""Logical tables: with all their columns, or with those that a mapping names."""

LOGICAL: Mapping[str, tuple[str, ...]] = {
    name: tuple(type(options.columns).model_fields) for name, options in TablesOptions().tables()
}
"""Every logical table with its columns."""


def used(sql: str, reads: Iterable[str], time: tuple[str, str] | None = None) -> dict[str, tuple[str, ...]]:
    """The columns of these tables that a query names: it needs no other, and works where another is missing.

    `time` is the table and column of its window. A query that takes columns without naming them (`message.*`,
    NATURAL JOIN) uses all.
    """
    text = sql.lower()
    words = set(re.findall(r"\w+", text))
    whole = "natural" in words or re.search(r'[\w"]\s*\.\s*\*', text)
    return {
        table: tuple(column for column in LOGICAL[table] if whole or column in words or (table, column) == time)
        for table in reads
    }


def wanted(reads: Reads) -> dict[str, tuple[str, ...]]:
    """The columns to give of each table: at least one, since a role with rights on columns can count no rows else."""
    if isinstance(reads, Mapping):
        return {table: tuple(reads[table]) or LOGICAL[table][:1] for table in reads}
    return {table: LOGICAL[table] for table in reads}
