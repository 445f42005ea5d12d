"""The sections of the configuration that business metrics have."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from exporter.config.fields import Duration, Name, RelativePath
from exporter.config.model import Options
from exporter.metrics.paths import PATH_RULES, Rules
from exporter.tools.database_url import DatabaseUrlField


class DatabaseOptions(Options):
    """The database whose tables are read."""

    url: DatabaseUrlField
    """Where it is, as in Prisma's DATABASE_URL."""
    pool: int = Field(4, ge=1, le=4)
    """Connections that all queries share; the probe has one of its own."""
    skew: Duration = 5.0
    """How far the clocks of those who write may be behind the database's."""


class PathRule(Options):
    """A part of paths that becomes a placeholder."""

    match: str
    """A regular expression, in PostgreSQL's syntax."""
    replace: str
    """What takes its place."""


class QueriesOptions(Options):
    """Which queries run, and how often."""

    folders: list[RelativePath] = Field(default_factory=list)
    """Folders with queries of your own."""
    disable: list[Name] = Field(default_factory=list)
    """Queries that shall not run."""
    every: dict[Name, Duration] = Field(default_factory=dict)
    """How often a query runs, where its own header should not decide."""
    paths: list[PathRule] = Field(default_factory=list)
    """Rules for paths, before the built-in ones for UUIDs, cuids and numbers."""

    @property
    def rules(self) -> Rules:
        """The configuration's own rules for paths, then the built-in ones."""
        return (*((rule.match, rule.replace) for rule in self.paths), *PATH_RULES)


class StateOptions(Options):
    """What the counters have counted, kept over restarts."""

    path: RelativePath = Field(Path("chatterfy-exporter.sqlite"), validate_default=True)
    """The SQLite file; beside the configuration unless told otherwise."""
    start: Literal["full", "now"] = "full"
    """Whether the first start counts all that is there, or only what comes."""
    cold_timeout: Duration = 300.0
    """How long the first count of a table may take."""
