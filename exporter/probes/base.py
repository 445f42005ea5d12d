"""What every probe has in common: its options, its run with phases, its metrics, its job."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, TypeVar, get_args

import structlog
from pydantic import model_validator

from exporter.config.fields import Duration
from exporter.config.model import Options
from exporter.errors import PROBE_REASONS
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.store import Store
from exporter.schedule import Outcome
from exporter.states import Result, State
from exporter.tools import Tools

log = structlog.get_logger(__name__)

LABELS = ("probe", "kind")
SUCCESS = Metric(
    "chatterfy_probe_success", "gauge", "Whether the probe last succeeded (1) or failed (0); set at every run.", LABELS
)
DURATION = Metric(
    "chatterfy_probe_duration_seconds",
    "histogram",
    "How long whole runs of the probe took, whether they succeeded or failed; observed at every run.",
    LABELS,
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
PHASE = Metric(
    "chatterfy_probe_phase_seconds",
    "gauge",
    "How long each phase of the last run took; a phase that was not reached is absent.",
    (*LABELS, "phase"),
)
RUNS = Metric("chatterfy_probe_runs_total", "counter", "Runs of the probe that ended; counted at every run.", LABELS)
FAILURES = Metric(
    "chatterfy_probe_failures_total",
    "counter",
    "Runs of the probe that failed, by reason; counted at every run.",
    (*LABELS, "reason"),
)
LAST_RUN = Metric(
    "chatterfy_probe_last_run_timestamp_seconds", "gauge", "When the last run began, in seconds since 1970.", LABELS
)
LAST_SUCCESS = Metric(
    "chatterfy_probe_last_success_timestamp_seconds",
    "gauge",
    "When the last run that succeeded began, in seconds since 1970; absent until one has.",
    LABELS,
)
CRITICAL = Metric(
    "chatterfy_probe_critical",
    "gauge",
    "Whether the configuration calls the probe critical (1), so that its failure makes the system unhealthy.",
    LABELS,
)
PERMITTED = Metric(
    "chatterfy_probe_permitted",
    "gauge",
    "Whether the dependency allowed what was asked (1), or denied it (0); set at every run that was answered.",
    LABELS,
)
KINDS: dict[str, type["Probe"]] = {}
"""Every kind of probe by its name."""


class Run:
    """One run of a probe: times its phases and collects its values."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.phases: dict[str, float] = {}
        self.values: dict[Metric, float] = {}
        self.denied = ""
        self._phase = ""
        self._inside = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Times a part of the run, also one that fails; parts of the same name (redirects) add up.

        A phase inside a phase (the connection that a request opens) is no part of the outer one's time, and where the
        inner one fails the outer one was not reached.
        """
        outer, self._phase = self._phase, name
        before, self._inside = self._inside, 0.0
        begin = self.tools.clock.monotonic()
        try:
            yield
        finally:
            elapsed = self.tools.clock.monotonic() - begin
            if self._phase == name:
                self.phases[name] = self.phases.get(name, 0.0) + elapsed - self._inside
            self._inside = before + elapsed
        self._phase = outer

    @property
    def reached(self) -> str:
        """The phase in which the run ended, if it ended inside one."""
        return self._phase

    def set(self, metric: Metric, value: float) -> None:
        """Gives a value of the dependency to the page; the metric's labels are `probe` and `kind`."""
        self.values[metric] = value

    def permit(self, denied: str = "") -> None:
        """Says that the dependency answered: it allowed what was asked, or it denied it, and how."""
        self.denied = denied
        self.values[PERMITTED] = 0.0 if denied else 1.0


class Probe(Options, ABC):
    """The options of every probe. A kind adds its own, and says in `check` what success means."""

    kind: str
    """What is probed."""
    interval: Duration = 10.0
    """Time from one run to the next."""
    timeout: Duration = 5.0
    """A run that is not over by then has failed; must be shorter than the interval."""
    critical: bool = False
    """Whether /health answers 503 while this probe fails."""

    stale_after: Duration | None = None
    """How long the dependency's last values outlive a failure; three intervals unless told otherwise."""

    @model_validator(mode="after")
    def _timeout_is_shorter(self) -> "Probe":
        if self.timeout >= self.interval:
            raise ValueError(f"timeout ({self.timeout:g}s) must be shorter than interval ({self.interval:g}s)")
        return self

    @abstractmethod
    async def check(self, run: Run) -> None:
        """Does it once: returns for success, raises Failed for failure; the caller keeps the time limit."""

    async def close(self) -> None:
        """Lets go of what was kept between runs; a kind that keeps something overrides it."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Mapping[str, dict[str, Any]]:  # noqa: ARG003  (for kinds)
        """Probes of this kind that the environment's usual names switch on when there is no configuration file."""
        return {}


Kind = TypeVar("Kind", bound=Probe)


def probe(cls: type[Kind]) -> type[Kind]:
    """Registers a kind of probe under the name that its field `kind: Literal[...]` carries."""
    (name,) = get_args(cls.model_fields["kind"].annotation)
    KINDS[name] = cls
    return cls


def _owner(name: str) -> str:
    """Whose a probe's samples are in the store, where all else has a place too."""
    return f"probe:{name}"


class ProbeJob:
    """A configured probe as a scheduled job: each outcome goes to the page, the board and the log."""

    bounded: Literal[True] = True

    def __init__(self, name: str, options: Probe, tools: Tools, store: Store) -> None:
        self.name = name
        self.options = options
        self.interval = options.interval
        self.timeout = options.timeout
        self.state = State(name, options.kind, options.critical, options.interval)
        self._labels = (name, self.state.kind)
        self._tools = tools
        self._store = store
        self._stale_after = options.stale_after or 3 * options.interval
        self._run = Run(tools)
        self._kept: dict[Metric, float] = {}
        self._kept_at = 0.0
        self._succeeded: float | None = None
        store.add(RUNS, *self._labels, amount=0)
        for reason in PROBE_REASONS:
            store.add(FAILURES, *self._labels, reason, amount=0)
        store.replace(_owner(name), [Sample(CRITICAL, self._labels, float(options.critical))])

    async def run(self) -> None:
        """Runs the probe once."""
        self._run = Run(self._tools)
        await self.options.check(self._run)

    async def close(self) -> None:
        """Closes the probe and takes its series off the page."""
        await self.options.close()
        self._store.replace(_owner(self.name), ())

    def settle(self, outcome: Outcome) -> None:
        """Takes a run's outcome: counts it, replaces the probe's snapshot, remembers and logs it."""
        result = self._result(outcome)
        self._store.add(RUNS, *self._labels)
        self._store.observe(DURATION, outcome.duration, *self._labels)
        if result.reason is not None:
            self._store.add(FAILURES, *self._labels, result.reason)
        self._keep(result)
        self._store.replace(_owner(self.name), self._samples(result))
        self._log(result, changed=self.state.add(result))

    def _result(self, outcome: Outcome) -> Result:
        detail = outcome.detail
        if outcome.reason == "timeout" and self._run.reached:
            detail = f"{detail} (in phase {self._run.reached})"
        return Result(
            outcome.started,
            outcome.duration,
            tuple(self._run.phases.items()),
            outcome.reason,
            self._tools.redact(detail or self._run.denied),
            not self._run.denied,
        )

    def _keep(self, result: Result) -> None:
        """The dependency's values outlive a failed run until they are stale; those of this run come first."""
        now = self._tools.clock.monotonic()
        if result.success:
            self._succeeded = result.started
            self._kept, self._kept_at = dict(self._run.values), now
        elif now - self._kept_at > self._stale_after:
            self._kept = dict(self._run.values)
        else:
            self._kept |= self._run.values

    def _samples(self, result: Result) -> list[Sample]:
        samples = [
            Sample(SUCCESS, self._labels, float(result.success)),
            Sample(CRITICAL, self._labels, float(self.options.critical)),
            Sample(LAST_RUN, self._labels, result.started),
        ]
        if self._succeeded is not None:
            samples.append(Sample(LAST_SUCCESS, self._labels, self._succeeded))
        samples += (Sample(PHASE, (*self._labels, phase), seconds) for phase, seconds in result.phases)
        samples += (Sample(metric, self._labels, value) for metric, value in self._kept.items())
        return samples

    def _log(self, result: Result, *, changed: bool) -> None:
        facts = {"probe": self.name, "kind": self.state.kind, "seconds": round(result.duration, 4)}
        if not result.success:
            log.warning("probe.failed", **facts, reason=result.reason, detail=result.detail)
        elif changed:
            log.info("probe.succeeded", **facts)
        else:
            log.debug("probe.succeeded", **facts)
