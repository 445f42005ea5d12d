"""How each probe has been doing: what the health endpoints and the status page answer from."""

from collections import deque
from dataclasses import dataclass, field

from exporter.errors import Reason

KEPT = 100
"""Results kept for each probe, and failures beyond those."""


@dataclass(frozen=True)
class Result:
    """One run: `started` in epoch seconds, durations in seconds, `reason` None for success; `detail` is redacted."""

    started: float
    duration: float
    phases: tuple[tuple[str, float], ...]
    reason: Reason | None = None
    detail: str = ""
    permitted: bool = True

    @property
    def success(self) -> bool:
        """Whether the run succeeded."""
        return self.reason is None


@dataclass
class State:
    """What is known of one probe."""

    name: str
    kind: str
    critical: bool
    interval: float
    since: float | None = None
    """When the probe came into its present state, up or down (epoch seconds)."""
    results: deque[Result] = field(default_factory=lambda: deque(maxlen=KEPT))
    failures: deque[Result] = field(default_factory=lambda: deque(maxlen=KEPT))

    @property
    def last(self) -> Result | None:
        """The latest result; None before the first run has ended."""
        return self.results[-1] if self.results else None

    @property
    def up(self) -> bool | None:
        """Whether the latest run succeeded; None before the first."""
        return None if self.last is None else self.last.success

    def add(self, result: Result) -> bool:
        """Takes a result; True when it changed the state from down to up or the other way."""
        changed = self.up is not result.success
        if changed:
            self.since = result.started
        self.results.append(result)
        if not result.success:
            self.failures.append(result)
        return changed

    def history(self) -> list[Result]:
        """The kept results, newest first: the last hundred, and the last hundred failures if they are older."""
        older = [failure for failure in self.failures if failure.started < self.results[0].started]
        return [*reversed(self.results), *reversed(older)]


class Board(dict[str, State]):
    """The states of all probes by name."""

    def of_kind(self, kind: str) -> list[State]:
        """The probes of one kind."""
        return [state for state in self.values() if state.kind == kind]

    @property
    def ready(self) -> bool:
        """Whether every probe has run at least once."""
        return all(state.last for state in self.values())

    @property
    def healthy(self) -> bool:
        """Whether no critical probe is down."""
        return not any(state.critical and state.up is False for state in self.values())
