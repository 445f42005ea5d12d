"""Has the exporter a result of every probe?"""

from collections.abc import AsyncIterator

from pydantic import BaseModel, TypeAdapter

from exporter.doctor.checks.answers import EXPORTER
from exporter.doctor.finding import Finding, good, some, wrong
from exporter.doctor.stack import Stack, check


class _Ready(BaseModel):
    ready: bool
    waiting_for: list[str]


_READY = TypeAdapter(_Ready)


@check("exporter", EXPORTER)
async def exporter_ready(stack: Stack) -> AsyncIterator[Finding]:
    """503 is an answer too: it names the probes."""
    found = await stack["exporter"].read("/ready", _READY, 503)
    if found.ready:
        yield good("has a result of every probe")
    else:
        names = some(found.waiting_for)
        yield wrong(f"has no result of {names} yet", "ask again after a probe's interval; then look at its log")
