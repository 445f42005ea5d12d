"""The servers of a stack, and the registry of what is checked about them."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from exporter.doctor.finding import Finding
from exporter.doctor.server import Server

Name = Literal["exporter", "prometheus", "alertmanager", "grafana"]
SERVERS: tuple[Name, ...] = get_args(Name)
Stack = Mapping[Name, Server]
"""The servers to look at; one that is switched off is absent."""
Look = Callable[[Stack], AsyncIterator[Finding]]
"""Looks at one thing. It may raise ExporterError, which is a finding too."""


@dataclass(frozen=True, eq=False)
class Check:
    """A check of one server, done where all that stand before it found nothing wrong."""

    server: Name
    look: Look
    after: tuple["Check", ...]


CHECKS: list[Check] = []
"""Every check."""


def check(server: Name, *after: Check) -> Callable[[Look], Check]:
    """Registers a check of a server, to be done once these others are fine."""

    def register(look: Look) -> Check:
        made = Check(server, look, after)
        CHECKS.append(made)
        return made

    return register
