"""Do all clocks show the same time? Alerts, silences and dashboards compare them."""

from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

from exporter.doctor.checks.answers import ALERTMANAGER, EXPORTER, GRAFANA, PATHS, PROMETHEUS
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.prometheus import query
from exporter.doctor.stack import Look, Name, Stack, check
from exporter.errors import ExporterError

TOLERATED = 5.0
"""Seconds by which a clock may differ from ours."""


async def _date(stack: Stack, name: Name) -> tuple[float, float]:
    """What the header Date says: the second that it names has begun, and is not over."""
    server, path = stack[name], PATHS[name]
    try:
        begin = parsedate_to_datetime((await server.get(path)).headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        raise ExporterError(f"{server.url}{path}: the answer has no usable header Date") from None
    return begin, begin + 1


async def _time(stack: Stack, name: Name) -> tuple[float, float]:
    """What Prometheus evaluates rules by."""
    found = await query(stack[name], "vector(time())")
    if not found:
        raise stack[name].strange("/api/v1/query")
    return found[0][1], found[0][1]


def _clock(name: Name) -> Look:
    async def look(stack: Stack) -> AsyncIterator[Finding]:
        clock = stack[name].clock
        for what, read in (("clock", _date), *([("time()", _time)] if name == "prometheus" else [])):
            before = clock.now()
            earliest, latest = await read(stack, name)
            # It was read at some moment between before and now: only what no such moment explains is a difference.
            ahead, behind = earliest - clock.now(), before - latest
            if max(ahead, behind) <= TOLERATED:
                yield good(f"its {what} agrees with this machine's")
            else:
                how = f"{ahead:.0f} s ahead of" if ahead > behind else f"{behind:.0f} s behind"
                yield wrong(f"its {what} is {how} this machine's", "let NTP set the clocks of both machines")

    return look


for _gate in (EXPORTER, PROMETHEUS, ALERTMANAGER, GRAFANA):
    check(_gate.server, _gate)(_clock(_gate.server))
