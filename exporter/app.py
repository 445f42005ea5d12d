"""The composition root: puts the parts together, and keeps them in step with the configuration."""

import asyncio
import os
from collections.abc import Callable
from importlib.metadata import version

import structlog
from aiohttp import web

from exporter.alerts.webhook import Alerts
from exporter.business.options import DatabaseOptions
from exporter.business.run import Business
from exporter.clock import Clock
from exporter.errors import ConfigError, ExporterError
from exporter.jobs import PageRefresh, Task
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.page import Page
from exporter.metrics.process import process_samples
from exporter.metrics.store import Store
from exporter.probes.base import ProbeJob
from exporter.reception import Reception
from exporter.schedule import Scheduler
from exporter.settings import Settings
from exporter.states import Board
from exporter.tables import Tables
from exporter.telemetry import CrashReports, configure_logs
from exporter.tools import Tools
from exporter.tools.database_url import parse_database_url
from exporter.web.server import Server
from exporter.web.site import Site

log = structlog.get_logger(__name__)

BUILD = Metric("chatterfy_build_info", "gauge", "Always 1; the labels say what is running.", ("version", "revision"))
RELOADED = Metric(
    "chatterfy_config_last_reload_successful",
    "gauge",
    "Whether the configuration was accepted (1) or refused (0) when it was last read, at start or at a reload.",
)
RELOADED_AT = Metric(
    "chatterfy_config_last_reload_success_timestamp_seconds",
    "gauge",
    "When a configuration was last accepted, in seconds since 1970; set at start and at every reload.",
)
VERSION = version("chatterfy-exporter")
PROCESS_INTERVAL = 10.0


class App:
    """The running exporter. `read` gives the configuration, at start and at every reload, or raises ConfigError."""

    def __init__(self, read: Callable[[], Settings], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self.settings = read()
        self._crashes = self._crash_reports()
        self._configure_logs()
        self.store = Store(self.settings.limits.series_per_metric)
        self.page = Page(self.store)
        self.probes = Board()
        self.tasks = Board()
        self.url = ""
        self._jobs: dict[str, ProbeJob] = {}
        self._tools = Tools(clock, self.settings.redact)
        self._scheduler = Scheduler(clock, limit=self.settings.limits.probes_at_once)
        self._reloading = asyncio.Lock()
        self.business: Business | None = None
        self._reception = Reception(self.store, self._tools)
        self._alerts = Alerts(self.store, self._tools, lambda: self.settings.environment)
        self._server = Server(
            Site(
                page=self.page,
                probes=self.probes,
                tasks=self.tasks,
                clock=clock,
                version=VERSION,
                environment=lambda: self.settings.environment,
                problems=self._problems,
                reload=self.reload,
            ),
            [web.post("/v1/alerts", self._alerts.receive)],
        )

    async def start(self) -> None:
        """Serves a first page, then starts the jobs; raises ExporterError when it cannot listen."""
        self.store.replace("build", [Sample(BUILD, (VERSION, os.environ.get("CHATTERFY_REVISION", "unknown")), 1)])
        self._accepted(self._clock.now())
        process = Task("process", interval=PROCESS_INTERVAL, timeout=5.0, work=self._read_process, store=self.store)
        self.tasks[process.name] = process.state
        await self._read_process()
        await self._apply(self.settings)
        await self.page.refresh()
        self.url = await self._server.start(*self.settings.listen)
        self._scheduler.start(process)
        self._scheduler.start(PageRefresh(self.page))
        log.info("exporter.started", url=self.url, probes=len(self.probes), version=VERSION)
        # Before any row is counted it has to be known which ones are still on their way.
        await self._reception.apply(self.settings)
        await self._start_business()
        if not self.probes:
            log.warning(
                "probes.missing", advice="name some in a configuration file, or set DATABASE_URL, API_URL and the like"
            )

    async def close(self) -> None:
        """Stops the jobs and what they have under way, then the listener."""
        await self._reception.close()
        if self.business:
            await self.business.close()
        await self._scheduler.close()
        await self._server.close()
        log.info("exporter.stopped")

    async def reload(self) -> str:
        """Reads the configuration again and starts, stops or replaces what changed; returns a bad one's problems."""
        async with self._reloading:
            try:
                settings = self._read()
            except ConfigError as error:
                self._refused(error)
                return f"{error}\n"
            for key in ("listen", "sentry"):
                if getattr(settings, key) != getattr(self.settings, key):
                    log.warning("config.unchanged", key=key, advice="it takes effect at the next start")
            before, self.settings = self.settings, settings
            self._accepted(self._clock.now())
            self._tools.redact = settings.redact
            self._configure_logs()
            self.store.series_per_metric = settings.limits.series_per_metric
            self._scheduler.limit(settings.limits.probes_at_once)
            await self._apply(settings)
            problems = await self._restart(before)
            if problems:
                self.store.replace("config", [Sample(RELOADED, (), 0)])
                return problems
            log.info("config.reloaded", probes=len(self.probes))
            return ""

    async def _restart(self, before: Settings) -> str:
        """Starts what listens for apps and browsers, and the queries, anew where they changed; says what failed."""
        problems = ""
        try:
            await self._reception.apply(self.settings)
        except ExporterError as error:
            problems += f"{error}\n"
            log.error("ingest.refused", problem=str(error))  # noqa: TRY400  (it is no crash)
        if _business_sections(self.settings) != _business_sections(before):
            try:
                await self._start_business()
            except ExporterError as error:
                problems += f"{error}\n"
                log.error("business.stopped", problem=str(error))  # noqa: TRY400  (as above)
        return problems

    async def _apply(self, settings: Settings) -> None:
        self._alerts.configure(settings.alerts, settings.sentry.dsn if settings.sentry else None)
        changed = [name for name, job in self._jobs.items() if settings.probes.get(name) != job.options]
        await asyncio.gather(*(self._scheduler.stop(self._jobs[name]) for name in changed))
        for name in changed:
            del self._jobs[name], self.probes[name]
            if name not in settings.probes:
                self.store.forget("probe", name)
        for name, options in settings.probes.items():
            if name not in self._jobs:
                job = ProbeJob(name, options, self._tools, self.store)
                self._jobs[name], self.probes[name] = job, job.state
                self._scheduler.start(job)

    @property
    def ingest_url(self) -> str:
        """Where apps and browsers may post; empty where nothing listens for them."""
        return self._reception.url

    async def _start_business(self) -> None:
        """Starts the queries anew, as the configuration has them now."""
        before = set(self.tasks)
        if self.business:
            await self.business.close()
            self.business = None
        if self.settings.database:
            await self._start_queries(self.settings, self.settings.database)
        for task in before - set(self.tasks):
            self.store.forget("task", task)
            self.store.replace(f"late:{task}", ())

    async def _start_queries(self, settings: Settings, database: DatabaseOptions) -> None:
        default_schema = parse_database_url(database.url.reveal()).schema
        self.business = Business(
            database,
            Tables.of(settings.tables, default_schema),
            settings.queries,
            settings.state,
            settings.all_queries,
            scheduler=self._scheduler,
            store=self.store,
            board=self.tasks,
            clock=self._clock,
            daily=settings.daily,
            hold=self._reception.hold,
        )
        await self.business.start()

    def _problems(self) -> list[str]:
        """What is wrong with the tables and with the way that alerts take, for the status page."""
        found = self.business.problems if self.business else []
        return [
            *self._alerts.problems(),
            *(f"{problem.table}: {problem.message}. {problem.advice}" for problem in found),
        ]

    def _configure_logs(self) -> None:
        chosen = self.settings.log
        configure_logs(chosen.level, chosen.format, self.settings.redact, self._crashes)

    def _crash_reports(self) -> CrashReports | None:
        sentry = self.settings.sentry
        return (
            CrashReports.to(sentry.dsn.reveal(), self.settings.environment, VERSION, self.settings.redact)
            if sentry
            else None
        )

    async def _read_process(self) -> None:
        self.store.replace("process", process_samples())

    def _accepted(self, now: float) -> None:
        self.store.replace("config", [Sample(RELOADED, (), 1)])
        self.store.replace("config.accepted", [Sample(RELOADED_AT, (), now)])

    def _refused(self, error: ConfigError) -> None:
        self.store.replace("config", [Sample(RELOADED, (), 0)])
        for problem in error.problems:
            log.error("config.refused", where=problem.where, path=problem.path, problem=problem.message)


def _business_sections(settings: Settings) -> tuple[object, ...]:
    return settings.database, settings.tables, settings.queries, settings.state, settings.daily, settings.all_queries
