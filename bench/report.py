"""What a measurement found: a table, and the targets that it was to meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Target:
    """A figure and its limit: at most that, or at least that where `at_least` says so."""

    what: str
    measured: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure keeps to the limit."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    @property
    def row(self) -> tuple[str, ...]:
        """The target as a table shows it."""
        bound = "at least" if self.at_least else "at most"
        verdict = "met" if self.met else "**missed**"
        return self.what, f"{figure(self.measured)}{self.unit}", f"{bound} {figure(self.limit)}{self.unit}", verdict


TARGETS_HEAD = ("Target", "Measured", "Limit", "")


@dataclass(frozen=True)
class Report:
    """A measurement's table in docs/performance.md, by the name of its place there, and its targets."""

    name: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    targets: list[Target]


class Measure(Protocol):
    """A measurement; `pace` shortens it where a rough figure is enough (1 is the whole of it)."""

    def __call__(self, pace: float) -> Report:
        """Measures."""


def figure(number: float) -> str:
    """A number with three digits that count, and never an exponent."""
    if number == 0 or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.{1 if abs(number) >= 10 else 2 if abs(number) >= 1 else 3}f}"


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{figure(seconds * 1000)} ms"
