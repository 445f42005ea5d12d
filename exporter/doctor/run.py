"""One visit: every check in its turn, and what it found."""

from collections import Counter as Tally
from collections.abc import Callable, Mapping

import click

from exporter.clock import Clock
from exporter.doctor import checks  # noqa: F401  (registers them)
from exporter.doctor.finding import Finding, wrong
from exporter.doctor.login import Login
from exporter.doctor.server import Server
from exporter.doctor.stack import CHECKS, SERVERS, Check, Name, Stack
from exporter.errors import ExporterError
from exporter.tools import Tools

COLOURS = {"ok": "green", "wrong": "red", "skip": "yellow"}
TITLES: Mapping[Name, str] = {
    "exporter": "the exporter", "prometheus": "Prometheus", "alertmanager": "Alertmanager", "grafana": "Grafana"
}  # fmt: skip
UNUSUAL = "look at its log, and whether its address is right"

Say = Callable[[str], None]


async def run(urls: Mapping[Name, str], login: Login | None, clock: Clock, say: Say) -> bool:
    """Whether nothing is wrong with the servers at these URLs; says what each check found, a line each.

    `login` is for Grafana.
    """
    async with Tools(clock, str).session() as session:
        stack = {
            name: Server(TITLES[name], url, session, clock, login if name == "grafana" else None)
            for name, url in urls.items()
        }
        visit = _Visit(stack, say)
        for check in sorted(CHECKS, key=lambda check: SERVERS.index(check.server)):
            await visit.settle(check)
    marks = visit.marks
    left = f", {marks['skip']} not looked at" if marks["skip"] else ""
    say(f"{marks['ok']} ok, {marks['wrong']} wrong{left}")
    return not marks["wrong"]


class _Visit:
    """What was found so far; a check is done once, after those that it builds on."""

    def __init__(self, stack: Stack, say: Say) -> None:
        self.marks: Tally[str] = Tally()
        self._stack = stack
        self._say = say
        self._fine: dict[Check, bool] = {}

    async def settle(self, check: Check) -> bool:
        """Whether everything about it is well."""
        if check not in self._fine:
            possible = check.server in self._stack and all([await self.settle(before) for before in check.after])
            self._fine[check] = possible and await self._do(check)
            self.marks["skip"] += not possible
        return self._fine[check]

    async def _do(self, check: Check) -> bool:
        fine = True
        try:
            async for finding in check.look(self._stack):
                self._report(check, finding)
                fine = fine and finding.mark == "ok"
        except ExporterError as error:
            self._report(check, wrong(str(error), UNUSUAL))
            fine = False
        return fine

    def _report(self, check: Check, finding: Finding) -> None:
        self.marks[finding.mark] += 1
        mark = click.style(f"{finding.mark:5}", fg=COLOURS[finding.mark])
        self._say(f"{mark} {check.server}: {finding.text}")
