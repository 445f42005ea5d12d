"""A table that is written: the statement that adds rows to it, as the database's catalogue has its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from exporter.errors import Failed
from exporter.limits import Row
from exporter.tables import Tables, literal, quoted

if TYPE_CHECKING:
    from exporter.tools.sql import Connection

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "business_event": ("id", "event_type", "data", "created_at"),
    "api_request": ("id", "endpoint", "method", "duration", "status", "created_at"),
}
"""The logical tables that can be written, and the columns that their rows have."""

_SENT = {"duration": "float8", "status": "int4", "created_at": "float8"}
"""What a column is sent as; all others as text."""

# Without its length: a cast to varchar(20) would cut, where storing refuses.
_TYPES = """
SELECT a.attname AS name, format_type(a.atttypid, -1) AS type,
       format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL) AS base
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
"""


@dataclass(frozen=True)
class Target:
    """One table as it is in the database. `statement` takes one array for each column."""

    columns: tuple[str, ...]
    statement: str
    key: str
    """The column of the key, in quotes."""
    has_uuids: bool
    """Whether its keys are UUIDs: other texts are turned into some, always into the same."""

    @classmethod
    async def look(cls, connection: "Connection", tables: Tables, name: str) -> "Target":
        """Reads the catalogue; raises Failed where the table or a column of it is missing."""
        columns = COLUMNS[name]
        for problem in await tables.problems(connection, {name: columns}):
            raise Failed("query", f"{problem.message}. {problem.advice}")
        place, table = quoted(*tables.physical(name)), tables.tables[name]
        types = {row["name"]: (row["type"], row["base"]) for row in await connection.fetch(_TYPES, place)}
        into = [table.columns[column] for column in columns]
        values = [_value(column, *types[physical]) for column, physical in zip(columns, into, strict=True)]
        values += [f"{literal(text)}::text::{types[physical][0]}" for physical, text in table.only.items()]
        into += table.only
        sent = ", ".join(f"${place}::{_SENT.get(column, 'text')}[]" for place, column in enumerate(columns, 1))
        key = quoted(table.columns["id"])
        statement = (
            f"INSERT INTO {place} ({', '.join(map(quoted, into))}) SELECT {', '.join(values)}"  # noqa: S608  (names are quoted, types are the catalogue's)
            f" FROM unnest({sent}) AS sent({', '.join(columns)}) ON CONFLICT ({key}) DO NOTHING"
        )
        return cls(columns, statement, key, types[table.columns["id"]][1] == "uuid")

    async def insert(self, connection: "Connection", rows: Sequence[Row], *, named: bool) -> list[bool] | None:
        """Adds rows, but those whose key is there; tells of each whether it is new, None where all are.

        Keys that were made here are new: they are looked at only where some were `named` by those who sent them.
        """
        arrays = [[row[column] for row in rows] for column in self.columns]
        if self.has_uuids:
            arrays[0] = list(map(as_uuid, arrays[0]))
        if not named:
            await connection.execute(self.statement, *arrays)
            return None
        new = {row[0] for row in await connection.fetch(f"{self.statement} RETURNING {self.key}::text", *arrays)}
        if len(new) == len(rows):
            return None
        return [_taken(key, new) for key in arrays[0]]


def as_uuid(key: object) -> str:
    """The key, where it is a UUID, else one that is made of it."""
    text = str(key)
    try:
        return str(UUID(text))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, text))


def _value(column: str, kind: str, base: str) -> str:
    if column != "created_at":
        return f"sent.{column}::{kind}"
    moment = "to_timestamp(sent.created_at)"
    # A timestamp without a zone is in UTC, as Prisma writes it.
    return f"{moment} AT TIME ZONE 'UTC'" if base == "timestamp without time zone" else f"{moment}::{kind}"


def _taken(key: object, new: set[object]) -> bool:
    """Whether the key is among the new ones; the second time it is not."""
    if key not in new:
        return False
    new.remove(key)
    return True
