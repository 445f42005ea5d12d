"""The whole configuration as one frozen model, and the ways to get it: a file, or the environment's names."""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, create_model, field_validator, model_validator

import exporter.ingest
import exporter.probes
import exporter.relay  # noqa: F401  (loads every section and every kind, so that SECTIONS and KINDS are whole)
from exporter.alerts.options import AlertsOptions
from exporter.business.daily import DailyOptions
from exporter.business.options import DatabaseOptions, QueriesOptions, StateOptions
from exporter.business.query import Query, load_queries
from exporter.business.shipped import SHIPPED
from exporter.config.fields import Address, Name
from exporter.config.model import Options, build
from exporter.config.reader import Document, read
from exporter.config.secret import Sources, redactor
from exporter.errors import ConfigError, Problem
from exporter.ingest.durable import KeepingOptions
from exporter.limits import SECTIONS, LimitsOptions, Section
from exporter.probes.base import KINDS, Probe
from exporter.sentry import DsnField
from exporter.tables import TablesOptions

if TYPE_CHECKING:
    AnyProbe = Probe
else:
    AnyProbe = Annotated[reduce(or_, KINDS.values()), Field(discriminator="kind")]


class Log(Options):
    """How the exporter speaks of itself on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe level that is written."""
    format: Literal["auto", "json", "console"] = "auto"
    """`auto` writes JSON unless stderr is a terminal."""


class Sentry(Options):
    """Where the exporter's own errors go (needs the extra `sentry`)."""

    dsn: DsnField
    """The project's DSN."""


class Limits(Options):
    """Bounds that keep the exporter and its readers safe."""

    probes_at_once: int = Field(256, ge=1)
    """Probes that may run at the same moment; further ones wait for their turn."""
    series_per_metric: int = Field(2000, ge=1)
    """Series of one metric that one job may show; the rest is counted in chatterfy_series_dropped_total."""


class IngestListener(KeepingOptions):
    """What apps and browsers send: a listener of its own, with the endpoints whose sections are here."""

    listen: Address = ("127.0.0.1", 9878)
    """Where the endpoints are served; never the operator's address."""
    limits: LimitsOptions = LimitsOptions()
    """Bounds for whatever comes."""

    @property
    def sections(self) -> list[Section]:
        """The endpoints that are on."""
        return [value for value in (getattr(self, name) for name in SECTIONS) if value is not None]


if TYPE_CHECKING:
    Ingest = IngestListener
else:
    Ingest = create_model(
        "Ingest",
        __base__=IngestListener,
        __doc__=IngestListener.__doc__,
        **{name: (kind | None, Field(None, description=kind.__doc__)) for name, kind in sorted(SECTIONS.items())},
    )


class Settings(Options):
    """The configuration file of chatterfy-exporter."""

    listen: Address = ("127.0.0.1", 9877)
    """Where /metrics, the health endpoints and the status page are served."""
    environment: str = "production"
    """Which installation this is, for the status page and the exporter's own errors."""
    probes: dict[Name, AnyProbe] = Field(default_factory=dict)
    """What to watch, by name."""
    log: Log = Log()
    """How the exporter speaks of itself."""
    sentry: Sentry | None = None
    """Where the exporter's own errors go."""
    alerts: AlertsOptions | None = None
    """What Alertmanager sends to the exporter; without it that endpoint is off."""
    ingest: Ingest | None = None
    """What apps and browsers send; without it nothing listens for them."""
    limits: Limits = Limits()
    """Bounds."""
    database: DatabaseOptions | None = None
    """The database whose tables become business metrics; without it there are none."""
    tables: TablesOptions = TablesOptions()
    """Which of its tables and columns mean what."""
    queries: QueriesOptions = QueriesOptions()
    """Which queries run."""
    state: StateOptions = StateOptions()
    """What the counters keep over restarts."""
    daily: DailyOptions | None = None
    """The table of daily figures; off unless it is here."""
    _queries: tuple[Query, ...] = PrivateAttr(default=())
    _redact: Callable[[str], str] = PrivateAttr(default=str)

    @model_validator(mode="before")
    @classmethod
    def _state_has_a_place(cls, data: Any) -> Any:
        """Reads the section also where it is absent: its file stands beside the configuration."""
        return {"state": {}, **data} if isinstance(data, dict) else data

    @field_validator("ingest")
    @classmethod
    def _never_shares_a_socket(cls, ingest: IngestListener | None, info: ValidationInfo) -> IngestListener | None:
        if ingest and "listen" in info.data and _meet(ingest.listen, info.data["listen"]):
            raise ValueError("its `listen` is the operator's address too: what strangers reach needs one of its own")
        return ingest

    @property
    def all_queries(self) -> tuple[Query, ...]:
        """The shipped queries and the configuration's own."""
        return self._queries

    def redact(self, text: str) -> str:
        """The text without any secret of this configuration."""
        return self._redact(text)


def _meet(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Whether two addresses are one, or one is among those that the other stands for."""
    hosts = {one[0], other[0]}
    return one[1] == other[1] != 0 and (len(hosts) == 1 or not hosts.isdisjoint(("0.0.0.0", "::")))  # noqa: S104  (compared)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Reads the file, or what the environment names when there is none; raises ConfigError with every problem."""
    document = read(path) if path else from_environment(environ)
    sources = Sources(environ, path.parent if path else Path())
    settings = build(Settings, document, sources)
    # Completes the model that was just built.
    settings._redact = redactor(sources.seen)  # noqa: SLF001
    settings._queries = own_queries(settings.queries.folders)  # noqa: SLF001
    return settings


def own_queries(folders: Iterable[Path]) -> tuple[Query, ...]:
    """The shipped queries and those of the folders; raises ConfigError where two have one name, or one metric."""
    queries = list(SHIPPED)
    problems: list[Problem] = []
    for query in (query for folder in folders for query in load_queries(folder)):
        names = {other.name: other.path for other in queries}
        metrics = {metric.name: other.path for other in queries for metric, _ in other.metrics}
        if query.name in names:
            problems.append(Problem(str(query.path), "", f"there is another query of this name: {names[query.name]}"))
        problems += (
            Problem(str(query.path), "metric", f"{metric.name} is declared by another query: {metrics[metric.name]}")
            for metric, _ in query.metrics
            if metric.name in metrics
        )
        queries.append(query)
    if problems:
        raise ConfigError(problems)
    return tuple(queries)


def from_environment(environ: Mapping[str, str]) -> Document:
    """The built-in configuration: each kind of probe, and Sentry, where the usual environment names speak of it."""
    named = {name: value for name, value in environ.items() if value.strip()}
    probes: dict[str, Any] = {}
    for kind in KINDS.values():
        probes |= kind.from_environment(named)
    data: dict[str, Any] = {"probes": probes}
    if "DATABASE_URL" in named:
        data["database"] = {"url": {"env": "DATABASE_URL"}}
    if "NODE_ENV" in named:
        data["environment"] = named["NODE_ENV"]
    if "SENTRY_DSN" in named:
        data["sentry"] = {"dsn": {"env": "SENTRY_DSN"}}
    return Document(data, "environment")


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()}
