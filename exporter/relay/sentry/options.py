"""The section `sentry`: which projects may send, what is counted of what they send, and how it goes on."""

import re
from collections.abc import Iterable

from pydantic import Field, field_validator, model_validator

from exporter.config.fields import Duration, Name, Pattern, Size
from exporter.config.model import Options
from exporter.limits import Endpoint, Given, Origin, Section, section
from exporter.metrics.labels import Places
from exporter.metrics.paths import PATH_RULES, normaliser
from exporter.relay.sentry.counts import Counts
from exporter.relay.sentry.endpoint import Relay
from exporter.relay.sentry.projects import Project, Projects, Senders, project_of
from exporter.relay.sentry.transactions import Transactions
from exporter.relay.sentry.upstream import Bounds, Upstream
from exporter.sentry import Dsn, DsnField

ENVIRONMENTS = ("production", "staging", "preview", "development", "test", "vercel-production", "vercel-preview")
"""What apps call their installations, and what Sentry's SDK for Next.js calls them on Vercel."""


class ProjectOptions(Options):
    """A project whose apps may send."""

    dsn: DsnField
    """Its DSN at Sentry; apps have the same with this listener's host in it, or the same with `tunnel`."""
    forward: bool = True
    """Whether what is sent goes on to the DSN; without that the DSN may be made up."""


class NamesOptions(Options):
    """Names that become values of a label."""

    names: list[str] = Field(default_factory=list)
    """Those that always have a place; with a `cap` of 0 they are the only ones."""
    cap: int = Field(20, ge=0)
    """How many others have a place, first come; the rest is `other`."""


class TransactionRule(Options):
    """A part of transactions' names that becomes a placeholder."""

    match: Pattern
    """A regular expression (Python's syntax)."""
    replace: str
    """What takes its place."""

    @model_validator(mode="after")
    def _fits(self) -> "TransactionRule":
        try:
            self.match.sub(self.replace, "")
        except (re.error, IndexError) as error:
            raise ValueError(f"replace: not a replacement for {self.match.pattern!r}: {error}") from error
        return self


class TransactionsOptions(NamesOptions):
    """What transactions, and the segment spans of newer SDKs, are called on the page."""

    cap: int = Field(100, ge=0)
    """How many others of each project have a place, first come; the rest is `other`."""
    rules: list[TransactionRule] = Field(default_factory=list)
    """Rules for names, before the built-in ones for query strings, UUIDs, cuids and numbers."""


@section("sentry")
class SentryOptions(Section):
    """Counts what Sentry's SDKs send, and passes it on untouched."""

    projects: dict[Name, ProjectOptions] = Field(min_length=1)
    """The projects whose apps may send; their names are values of the label `project`."""
    tunnel: str | None = "/monitoring"
    """The path for the SDKs' option `tunnel`; null for none."""
    origins: list[Origin] = Field(default_factory=list)
    """The origins whose pages may send, such as https://app.example.com; none for all. Servers send no origin."""
    scrub: bool = False
    """Whether bodies, headers, cookies, prompts and passwords are taken out of events and spans on their way."""
    environments: list[str] = Field(default=list(ENVIRONMENTS))
    """The environments that are told apart, beside the exporter's own."""
    transactions: TransactionsOptions = TransactionsOptions()
    """What transactions are called on the page."""
    monitors: NamesOptions = NamesOptions()
    """The scheduled jobs whose check-ins are told apart."""
    wait: Duration = 2.0
    """How long an app waits for Sentry's own answer; after that it is told that all is well."""
    timeout: Duration = 10.0
    """How long Sentry may take in all; what it has not taken by then is lost, and counted."""
    under_way: int = Field(64, ge=1)
    """Envelopes that may be under way to Sentry at the same moment; further ones are refused with 429."""
    under_way_size: Size = 16 * 1024 * 1024
    """Bytes that may be under way to Sentry at the same moment."""

    @field_validator("tunnel")
    @classmethod
    def _is_a_path(cls, tunnel: str | None) -> str | None:
        if tunnel is not None and (not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+/?", tunnel) or tunnel.startswith("/api/")):
            raise ValueError("expected a path such as /monitoring, outside /api/")
        return tunnel

    @field_validator("projects")
    @classmethod
    def _are_different(cls, projects: dict[str, ProjectOptions]) -> dict[str, ProjectOptions]:
        known: dict[tuple[str, str], str] = {}
        for name, options in projects.items():
            dsn = Dsn.parse(options.dsn.reveal())
            other = known.setdefault((project_of(dsn), dsn.key), name)
            if other != name:
                raise ValueError(f"{other} and {name} have the same id and key: one of them is enough")
        return projects

    def endpoints(self, given: Given) -> Iterable[Endpoint]:
        """The paths of a DSN, and the tunnel's."""
        projects = [Project(name, Dsn.parse(it.dsn.reveal()), it.forward) for name, it in self.projects.items()]
        counts = self._counts(given)
        upstream = self._upstream(given) if any(project.forward for project in projects) else None
        for project in projects:
            counts.expect(project.name, given.environment)
            if upstream and project.forward:
                upstream.expect(project.name)
        relay, access = (
            Relay(Projects(projects), counts, upstream, scrub=self.scrub),
            Senders(None, frozenset(self.origins)),
        )
        yield Endpoint("sentry", "/api/{project:[0-9]+}/envelope{slash:/?}", relay.envelope, access)
        yield Endpoint("sentry", "/api/{project:[0-9]+}/store{slash:/?}", relay.store, access)
        if self.tunnel:
            yield Endpoint("sentry_tunnel", self.tunnel, relay.tunnel, access)

    def _counts(self, given: Given) -> Counts:
        names = self.transactions
        rules = [(rule.match.pattern, rule.replace) for rule in names.rules]
        transactions = Transactions(
            given.store,
            {project: Places(given.store, names.names, names.cap) for project in self.projects},
            normaliser((*rules, *PATH_RULES)),
        )
        monitors = Places(given.store, self.monitors.names, self.monitors.cap)
        counts = Counts(given.store, [*self.environments, given.environment], monitors, transactions)
        for monitor in self.monitors.names:
            counts.expect_monitor(monitor)
        return counts

    def _upstream(self, given: Given) -> Upstream:
        bounds = Bounds(self.wait, self.timeout, self.under_way, self.under_way_size)
        upstream = Upstream(given.tools, given.store, bounds)
        given.closing.push_async_callback(upstream.close)
        return upstream
