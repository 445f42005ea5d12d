"""What can go wrong, in the two shapes that the rest of the code knows: a failed run, and a line for the user."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

ProbeReason = Literal["timeout", "dns", "connect", "tls", "status", "body", "auth", "quota", "query", "internal"]
"""Why a probe failed: the closed set of its label `reason`."""

Reason = ProbeReason | Literal["pool"]
"""Why a run failed: `pool` is a query that waited too long for one of the exporter's connections."""

PROBE_REASONS: tuple[ProbeReason, ...] = get_args(ProbeReason)
REASONS: tuple[Reason, ...] = (*PROBE_REASONS, "pool")


class Failed(Exception):  # noqa: N818  (an outcome, not a defect)
    """A run that did not succeed: `reason` is a label value, `detail` is free text for people and never a label."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


class ExporterError(Exception):
    """An error to show to the user as it stands, without a traceback."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a configuration: `where` is `file:line`, `path` the key, `message` what to do instead."""

    where: str
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.path, self.message) if part)


class ConfigError(ExporterError):
    """Everything that is wrong with a configuration, at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
