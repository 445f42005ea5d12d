"""A query file: its header in YAML, its one SELECT over logical tables, and the statement that is sent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from exporter.config.fields import Duration
from exporter.config.model import Options, build
from exporter.config.reader import Document, parse
from exporter.config.secret import Sources
from exporter.errors import ConfigError, Problem
from exporter.metrics.catalogue import Kind, Metric
from exporter.metrics.labels import UNKNOWN
from exporter.metrics.paths import PATH_RULES, Rules
from exporter.tables import LOGICAL, Tables, Window, used


def _logical(name: str) -> str:
    if name not in LOGICAL:
        raise ValueError(f"expected a logical table ({', '.join(LOGICAL)}), got '{name}'")
    return name


def _time(text: str) -> str:
    table, _, column = text.partition(".")
    if column not in LOGICAL.get(table, ()):
        raise ValueError(f"expected a logical table's time column such as message.created_at, got '{text}'")
    return text


class Part(Options):
    """One of several metrics of a query."""

    column: str
    """The column that holds its value."""
    help: str
    """What it says, as a sentence."""


class Header(Options):
    """The header of a query file."""

    metric: str | None = None
    """The metric's name; `metrics` where the query gives several."""
    help: str | None = None
    """What the metric says, as a sentence that tells how often it is read."""
    metrics: dict[str, Part] = Field(default_factory=dict)
    """Several metrics from one query, each from a column of its own."""
    kind: Kind = "gauge"
    """What the metric is."""
    reads: list[Annotated[str, AfterValidator(_logical)]]
    """The logical tables that the SELECT reads."""
    labels: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]] = Field(default_factory=list)
    """The columns that are labels."""
    every: Duration = 15.0
    """How old its numbers may be: it is read that often, or a little ahead."""
    timeout: Duration | None = None
    """How long it may take; 10 s, or 80 % of `every` where that is less."""
    time: Annotated[str, AfterValidator(_time)] | None = None
    """For counters and histograms: the table and column by which rows are new."""
    settle: Duration = 60.0
    """For counters and histograms: how long after its time a row may still change."""
    buckets: list[float] = Field(default_factory=list)
    """For histograms: the upper bounds."""
    cap: int = Field(100, ge=1)
    """Label sets at most; what is beyond them is `other`."""
    normalise: dict[str, Literal["path"]] = Field(default_factory=dict)
    """Labels whose ids become placeholders."""
    fill: dict[str, list[str]] = Field(default_factory=dict)
    """Label values whose sets are 0 where there is no row."""
    null: Literal["skip", "zero", "fail"] = "skip"
    """What a value that is NULL means."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Header":
        if (self.metric is None) == (not self.metrics) or (self.metric is None) != (self.help is None):
            raise ValueError("expected either `metric` with `help`, or `metrics`")
        if (self.kind == "gauge") != (self.time is None):
            raise ValueError("`time` belongs to counters and histograms, which need it")
        if self.time and self.time.partition(".")[0] not in self.reads:
            raise ValueError("the table of `time` must be among `reads`")
        if (self.kind == "histogram") != bool(self.buckets) or sorted(set(self.buckets)) != self.buckets:
            raise ValueError("`buckets` belong to histograms, which need them, in ascending order")
        if self.kind == "histogram" and self.metrics:
            raise ValueError("a histogram stands alone: `metric` with `help`")
        if not {*self.normalise, *self.fill} <= {*self.labels} or (self.fill and {*self.fill} != {*self.labels}):
            raise ValueError("`normalise` names labels, and `fill` all of them")
        if self.timeout is not None and self.timeout >= self.every:
            raise ValueError("timeout must be shorter than every")
        return self


@dataclass(frozen=True)
class Query:
    """A checked query file. `metrics` pairs each metric with the column of its value."""

    name: str
    path: Path
    header: Header
    sql: str
    metrics: tuple[tuple[Metric, str], ...] = field(compare=False)

    @property
    def kind(self) -> Kind:
        """Gauge, counter or histogram."""
        return self.header.kind

    @property
    def timeout(self) -> float:
        """Seconds that a run may take."""
        return self.header.timeout or min(10.0, 0.8 * self.header.every)

    @property
    def settle(self) -> timedelta:
        """How long after its time a row may still change."""
        return timedelta(seconds=self.header.settle)

    @cached_property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """The logical tables with the columns that it names, and that of its time: it needs no other."""
        return used(self.sql, self.header.reads, self.growing)

    @property
    def growing(self) -> tuple[str, str] | None:
        """The table and column by which rows are new."""
        if self.header.time is None:
            return None
        table, _, column = self.header.time.partition(".")
        return table, column

    @property
    def columns(self) -> tuple[str, ...]:
        """The value columns of the statement's result, after the labels."""
        if self.kind == "histogram":
            return ("bucket", "count", "sum")
        return tuple(column for _, column in self.metrics)

    def statement(self, tables: Tables, window: Window | None = None, rules: Rules = PATH_RULES) -> str:
        """The SQL to send: the logical tables put in front, labels as text, values by label set."""
        labels = [self._label(label, rules) for label in self.header.labels]
        groups = f" GROUP BY {', '.join(str(place + 1) for place in range(len(labels)))}" if labels else ""
        if self.kind == "gauge":
            values, source, groups = [f'"{column}"' for column in self.columns], "q", ""
        elif self.kind == "counter":
            values, source = [f'sum("{column}") AS "{column}"' for column in self.columns], "q"
        else:
            # A value that equals a bound belongs below it; width_bucket puts it above, hence the mirror.
            bounds = ", ".join(repr(-bound) for bound in reversed(self.header.buckets))
            place = f"{len(self.header.buckets)} - width_bucket(-value, ARRAY[{bounds}]::float8[])"
            rows = f"SELECT {self._raw_labels()}value::float8 FROM q"
            placed = f"SELECT *, {place} AS bucket FROM ({rows}) r WHERE value IS NOT NULL"
            # Grouped by the labels as they are first: to normalise each row would cost ten times as much.
            sums = f"SELECT {self._raw_labels()}bucket, count(*) AS count, sum(value) AS sum FROM ({placed}) p"
            source = f"({sums} GROUP BY {self._raw_labels()}bucket) q"
            values = ["bucket", "sum(count) AS count", "sum(sum) AS sum"]
            groups = f" GROUP BY {', '.join(str(place + 1) for place in range(len(labels) + 1))}"
        # Every part is checked or quoted: the mapping's identifiers, the header's names, the rules' texts.
        front = f"{tables.with_clause(self.needs, window)}, q AS (\n{self.sql}\n)"
        return f"{front}\nSELECT {', '.join([*labels, *values])} FROM {source}{groups}"

    def _raw_labels(self) -> str:
        return "".join(f'"{label}", ' for label in self.header.labels)

    def _label(self, label: str, rules: Rules) -> str:
        text = f"coalesce(nullif(\"{label}\"::text, ''), '{UNKNOWN}')"
        if label in self.header.normalise:
            for pattern, placeholder in rules:
                text = f"regexp_replace({text}, {_quoted(pattern)}, {_quoted(placeholder)}, 'g')"
        return f'{text} AS "{label}"'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def load_queries(folder: Path, *, listed: bool = False) -> tuple[Query, ...]:
    """Every `*.sql` of a folder; `listed` puts their metrics into the catalogue. Raises ConfigError, all at once."""
    queries: list[Query] = []
    problems: list[Problem] = []
    if not folder.is_dir():
        raise ConfigError([Problem(str(folder), "", "no such folder of queries")])
    for path in sorted(folder.glob("*.sql")):
        try:
            queries.append(load_query(path, listed=listed))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return tuple(queries)


def load_query(path: Path, *, listed: bool = False) -> Query:
    """Reads one query file; raises ConfigError."""
    document, sql, line = _split(path)
    header = build(Header, document, Sources({}, path.parent))
    if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem):
        raise ConfigError([Problem(str(path), "", "a query's file is named in lower-case letters, digits and _")])
    if not re.match(r"(?i)(select|with)\b", sql) or ";" in sql:
        raise ConfigError([Problem(f"{path}:{line}", "", "expected one SELECT, without a semicolon, after the header")])
    try:
        metrics = tuple(_metrics(header, listed=listed))
    except ValueError as error:
        raise ConfigError([Problem(document.where(("metric",)), "metric", str(error))]) from error
    return Query(path.stem, path, header, sql, metrics)


def _split(path: Path) -> tuple[Document, str, int]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), "", "cannot be read as UTF-8 text")]) from error
    end = next((place for place, line in enumerate(lines) if line.strip() and not line.startswith("--")), len(lines))
    header = "\n".join(line.removeprefix("--").removeprefix(" ") for line in lines[:end])
    sql = "\n".join(lines[end:]).strip().removesuffix(";").rstrip()
    return parse(header, str(path)), sql, end + 1


def _metrics(header: Header, *, listed: bool) -> Iterator[tuple[Metric, str]]:
    labels, buckets = tuple(header.labels), tuple(header.buckets)
    named: Mapping[str, Part] = header.metrics or {str(header.metric): Part(column="value", help=str(header.help))}
    for name, part in named.items():
        yield Metric(name, header.kind, part.help, labels, buckets, listed=listed), part.column
