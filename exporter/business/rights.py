"""The least that a role must be granted for what is enabled, as SQL that psql takes."""

from collections.abc import Iterable, Iterator, Mapping

from exporter.business.daily import READS, WRITES
from exporter.business.query import Query
from exporter.tables import Tables, Window, quoted

Place = tuple[str, str]
"""Schema and table."""

_READER = """\
-- What the exporter reads: of each table the columns that its queries name, and no others. The role must be there:
-- CREATE ROLE ... LOGIN PASSWORD '...'
"""
_MONITOR = """\
-- To see how long others' transactions have been open: without it, counters trust the time to settle alone.
"""
_KEEPER = """\
-- What is stored of events and requests that are received: rows are added, and of others their keys alone are read.
"""
_WRITER = """\
-- What the daily job reads, and the one table that it writes.
"""


def reader(tables: Tables, queries: Iterable[Query], role: str, database: str) -> str:
    """The grants for the role that runs these queries."""
    columns: dict[Place, set[str]] = {}
    for query in queries:
        window = Window(*query.growing) if query.growing else None
        for place, names in tables.rights(query.needs, window).items():
            columns.setdefault(place, set()).update(names)
    reads = {place: f"SELECT {_list(sorted(names))}" for place, names in sorted(columns.items())}
    return "".join(
        (_READER, *_lines(reads, role, database), _MONITOR, f"GRANT pg_monitor TO {quoted(role)};\n"),
    )


def writer(tables: Tables, role: str, database: str) -> str:
    """The grants for the role of the daily job."""
    columns = tables.columns(WRITES)
    every, changed = _list(columns.values()), _list(name for key, name in columns.items() if key != "date")
    rights = {place: f"SELECT {_list(names)}" for place, names in tables.rights(READS).items()}
    rights[tables.physical(WRITES)] = f"SELECT {every}, INSERT {every}, UPDATE {changed}"
    return "".join((_WRITER, *_lines(rights, role, database)))


def keeper(tables: Tables, names: Iterable[str], role: str, database: str) -> str:
    """The grants for the role that stores what is received in these logical tables."""
    rights = {}
    for name in names:
        columns = tables.columns(name)
        added = dict.fromkeys([*columns.values(), *tables.tables[name].only])
        rights[tables.physical(name)] = f"SELECT {_list([columns['id']])}, INSERT {_list(added)}"
    return "".join((_KEEPER, *_lines(rights, role, database)))


def _lines(rights: Mapping[Place, str], role: str, database: str) -> Iterator[str]:
    yield f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(role)};\n"
    for schema in dict.fromkeys(schema for schema, _ in rights):
        yield f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)};\n"
    for place, what in rights.items():
        yield f"GRANT {what} ON {quoted(*place)} TO {quoted(role)};\n"


def _list(names: Iterable[str]) -> str:
    return f"({', '.join(map(quoted, names))})"
