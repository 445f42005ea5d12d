"""One logical table as it stands in the app's database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from exporter.tables.event_data import parsed
from exporter.tables.options import PRESETS, Preset, TableOptions
from exporter.tables.quoting import literal, quoted


@dataclass(frozen=True)
class Window:
    """Rows of a table whose time column is in [start, end); None is no bound. The datetimes have a zone."""

    table: str
    column: str
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if any(bound and bound.utcoffset() is None for bound in (self.start, self.end)):
            raise ValueError("a window's bounds need a time zone")

    def conditions(self, name: str) -> Iterable[str]:
        """The bounds as SQL about the column of this name: a timestamp without zone is UTC, as the session is."""
        for sign, bound in ((">=", self.start), ("<", self.end)):
            if bound:
                yield f"{name} {sign} '{bound.astimezone(UTC).isoformat()}'::timestamptz"


@dataclass(frozen=True)
class Table:
    """Where a logical table is, and what its columns are called there."""

    schema: str
    name: str
    columns: Mapping[str, str]
    """Logical names to physical ones."""
    only: Mapping[str, str]
    """Physical columns, and the texts that they have in this table's rows."""
    divided_by: tuple[str, ...]
    """Physical columns that every query compares with a constant: an index may have them before the time."""
    other_name: str
    """What the other preset calls it."""

    @classmethod
    def of(cls, options: TableOptions, preset: Preset, schema: str) -> "Table":
        """What the options say, and what the preset says of the rest."""
        columns = {name: options.columns.name(name, preset) for name in type(options.columns).model_fields}
        only = options.PRESET_ONLY if options.only is None else options.only
        return cls(
            options.schema_ or schema,
            options.name("table", preset),
            columns,
            only,
            (*only, *(columns[name] for name in options.DIVIDED_BY)),
            type(options)().name("table", next(other for other in PRESETS if other != preset)),
        )

    def select(self, columns: Iterable[str], window: Window | None) -> str:
        """The SELECT that gives these logical columns, of the rows in the window."""
        given = ", ".join(f"{self._value(column)} AS {column}" for column in columns)
        conditions = [f"{quoted(name)} = {literal(text)}" for name, text in self.only.items()]
        if window:
            conditions += window.conditions(quoted(self.columns[window.column]))
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {given} FROM {quoted(self.schema, self.name)}{where}"

    def needs(self, columns: Iterable[str], window: Window | None) -> set[str]:
        """The physical columns that `select` reads."""
        bounded = (window.column,) if window else ()
        return {*self.only, *(self.columns[column] for column in (*columns, *bounded))}

    def _value(self, column: str) -> str:
        name = quoted(self.columns[column])
        return parsed(name) if column == "data" else name
