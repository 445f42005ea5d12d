"""The probes of the demo's configuration: whether they succeeded, how long they took, and what they saw."""

from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import yaml
from aiohttp import web

from exporter.demo.configuration import configuration
from exporter.demo.site import Site, Sites
from exporter.errors import ProbeReason
from exporter.probes.base import KINDS
from grafana.past.chance import Wave, dice
from grafana.past.story import MINUTE, Story, Window, within

INTERVAL, TIMEOUT = 10, 5.0
"""A probe's own, where the configuration says nothing else."""


class Usual(NamedTuple):
    """What a probe usually takes, in seconds, phase by phase."""

    phases: dict[str, float]
    spread: float = 0.18


_PLAIN = {"dns": 0.002, "connect": 0.011}
_HTTP = {**_PLAIN, "request": 0.034, "response": 0.002}
_TLS = {**_PLAIN, "tls": 0.029}

USUAL: dict[str, Usual] = {
    "web": Usual({**_HTTP, "request": 0.052}),
    "web_health": Usual(_HTTP),
    "web_tls": Usual({**_HTTP, "tls": 0.031}),
    "api": Usual({**_HTTP, "request": 0.009}),
    "api_tls": Usual({**_HTTP, "tls": 0.027, "request": 0.009}),
    "api_port": Usual({"connect": 0.008}),
    "api_db": Usual({**_HTTP, "request": 0.016}),
    "api_stripe": Usual({**_HTTP, "request": 0.240}),
    "api_s3": Usual({**_HTTP, "request": 0.085}),
    "chat": Usual({**_HTTP, "request": 0.013}),
    "certificate": Usual(_TLS),
    "db": Usual({"dns": 0.002, "connect": 0.021, "query": 0.002, "read": 0.006}),
    "stripe": Usual({**_TLS, "request": 0.190, "response": 0.002}),
    "s3": Usual({"request": 0.046, "write": 0.071, "read": 0.049, "delete": 0.043}),
}


RARE: dict[str, tuple[ProbeReason, ...]] = {"s3": ("timeout", "quota"), "certificate": ("connect", "dns")}
"""Why a run fails now and then; the others time out or cannot connect."""


class Trouble(NamedTuple):
    """A time in which a probe fails, and why."""

    window: Window
    reason: ProbeReason


class Probe:
    """One probe in the story."""

    def __init__(self, story: Story, name: str, options: dict[str, object]) -> None:
        self.story = story
        self.name = name
        self.kind = str(options["kind"])
        self.critical = bool(options.get("critical", KINDS[self.kind].model_fields["critical"].default))
        self.labels = (name, self.kind)
        self.usual = USUAL[name]
        self.wave = Wave(0.25, name, hours=2)
        self.troubles = sorted(_troubles(story, name))
        self._begins = [trouble.window[0] for trouble in self.troubles]

    @cached_property
    def total(self) -> float:
        """Seconds that a usual run takes."""
        return sum(self.usual.phases.values())

    def reason(self, moment: float) -> ProbeReason | None:
        """Why the run at this moment failed, if it did."""
        place = bisect_right(self._begins, moment) - 1
        trouble = self.troubles[place] if place >= 0 else None
        return trouble.reason if trouble and within(moment, trouble.window) else None

    def failures(self, reason: ProbeReason, begin: float, end: float) -> int:
        """How many runs failed for this reason between two moments."""
        spans = [(max(begin, it.window[0]), min(end, it.window[1])) for it in self.troubles if it.reason == reason]
        return sum([int((last - first) // INTERVAL) for first, last in spans if last > first])

    def slowness(self, moment: float) -> float:
        """By how much a run takes longer than usual."""
        story = self.story
        if self.name in {"stripe", "api_stripe"} and within(moment, story.slow):
            return 18.0
        if within(moment, story.climb) or within(moment, story.recovery):
            return {"db": 14.0, "api_db": 30.0, "api": 12.0, "api_tls": 12.0, "chat": 25.0}.get(self.name, 1.0)
        return 1.0

    def duration(self, moment: float) -> float:
        """Seconds that the median run takes at this moment."""
        match self.reason(moment):
            case "timeout":
                return TIMEOUT
            case "connect":
                return 0.004
        return min(self.total * self.wave(moment) * self.slowness(moment), 0.96 * TIMEOUT)


def probes(story: Story) -> list[Probe]:
    """Those of the demo, with its kinds; where they ask makes no difference here."""
    sites = Sites(*[Site(web.Application) for _ in Sites._fields])
    configured = yaml.safe_load(configuration(0, sites, Path("ca.pem")))["probes"]
    return [Probe(story, name, options) for name, options in configured.items()]


def _troubles(story: Story, name: str) -> list[Trouble]:
    begin, end = story.down
    troubles = _rare(story, name)
    if name == "db":
        troubles += [Trouble((begin, begin + 40), "timeout"), Trouble((begin + 40, end), "connect")]
    elif name in {"api_db", "web_health"}:
        troubles += [Trouble((begin - 90, begin + 60), "timeout"), Trouble((begin + 60, end), "status")]
    elif name in {"api", "api_tls"}:
        troubles.append(Trouble((begin - 30, begin + 100), "timeout"))
    elif name == "chat":
        troubles += [Trouble((begin - 60, begin + 120), "timeout"), Trouble((begin + 120, end), "status")]
    elif name == "stripe":
        first, last = story.flapping
        troubles += [
            Trouble((time, time + 2 * MINUTE), "timeout" if time % 480 else "connect")
            for time in range(first, last, 4 * MINUTE)
        ]
    return troubles


def _rare(story: Story, name: str) -> list[Trouble]:
    """Now and then one or two runs fail, for which nobody is woken."""
    random = dice("rare", name)
    if name in {"web", "api", "db"}:
        return []
    reasons = RARE.get(name, ("timeout", "connect"))
    moments = [random.randrange(story.start, story.end - 86400) // INTERVAL * INTERVAL for _ in range(3)]
    return [Trouble((time, time + 20), random.choice(reasons)) for time in moments if not _near(story, time)]


def _near(story: Story, moment: int) -> bool:
    windows = (story.slow, story.flapping, story.climb, story.down)
    return any(begin - 3600 < moment < end + 3600 for begin, end in windows)
