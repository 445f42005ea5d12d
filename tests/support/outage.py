"""The demo's whole stack with the real Prometheus and Alertmanager, and what reaches people when something breaks."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from exporter.clock import SystemClock
from exporter.demo.outages import Outage
from exporter.demo.stack import Stack, started
from tests.support.detection import bounds
from tests.support.programs import program

PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager")
PATIENCE = 200
"""Seconds after which a message is said not to come."""


@asynccontextmanager
async def watched() -> AsyncIterator["Watched"]:
    """All of it, after the first scrapes, so that an outage meets a system that had been well."""
    before = os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join([*{str(Path(program(name)).parent) for name in PROGRAMS}, before])
    try:
        async with started(SystemClock(), lambda *_: None) as stack:
            it = Watched(stack)
            await it.until(lambda: it.heartbeat)
            yield it
    finally:
        os.environ["PATH"] = before


class Watched:
    """The stack, and the messages that came by each channel."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.began = 0.0

    @property
    def heartbeat(self) -> bool:
        """Whether a Watchdog has come back: rules are evaluated, and alerts find their way."""
        line = 'chatterfy_alerts_received_total{severity="none",status="firing"} 0.0'
        return line not in self.stack.app.page.text.plain.decode()

    async def break_(self, *outages: Outage) -> None:
        """Breaks these, now."""
        for outage in outages:
            await self.stack.world.break_(outage)
        self.began = time.time()

    async def until(self, true: Callable[[], object]) -> None:
        """Waits until it is so."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                await asyncio.sleep(0.1)

    def slack(self, alert: str, *texts: str) -> list[float]:
        """When messages of this alert with these texts came to Slack."""
        found = self.stack.world.channels.slack.messages
        return [it.at for it in found if all(text in it.text for text in (alert, *texts))]

    def mail(self, alert: str, *texts: str) -> list[float]:
        """As `slack`, by mail; the subject counts too."""
        found = (
            (it.at, f"{it.message['Subject']} {it.body('plain')}") for it in self.stack.world.channels.mailbox.mails
        )
        return [at for at, said in found if all(text in said for text in (alert, *texts))]

    def sentry(self, alert: str, *texts: str) -> list[float]:
        """As `slack`, as events of Sentry."""
        found = ((it.at, str(it.payload)) for it in self.stack.world.channels.sentry.events)
        return [at for at, said in found if all(text in said for text in (alert, *texts))]

    def arrivals(self, alert: str, *texts: str) -> Iterator[tuple[str, list[float]]]:
        """The three channels, and when each got what was asked for."""
        for channel in (self.slack, self.mail, self.sentry):
            yield channel.__name__, channel(alert, *texts)

    async def once_everywhere(self, alert: str, *texts: str) -> None:
        """Waits until each channel has the message: once, and within the alert's bound. Prints the times."""
        await self.until(lambda: all(times for _, times in self.arrivals(alert, *texts)))
        for channel, times in self.arrivals(alert, *texts):
            print(f"{alert}: {channel} after {times[0] - self.began:.1f} s, at most {bounds()[alert]:.0f} s")  # noqa: T201
            assert len(times) == 1, (channel, times)
            assert times[0] - self.began <= bounds()[alert], channel
