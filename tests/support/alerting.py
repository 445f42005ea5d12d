"""The demo with the real Prometheus and Alertmanager and every shipped interval, and what arrives in each channel."""

import asyncio
import faulthandler
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from exporter.clock import SystemClock
from exporter.demo.outages import Outage
from exporter.demo.stack import Stack, started
from tests.support.programs import program

PROMISE = 120.0
"""Seconds within which a message has to come where no bound is computed."""
NEXT_TIME = 150.0
"""Seconds in which the next group interval (1m) after a message comes, with what it takes Prometheus to notice."""
CHANNELS = ("slack", "mail", "sentry")


@dataclass(frozen=True)
class Arrival:
    """When something came, and its first line."""

    at: float
    text: str


class Watched:
    """The running stack; arrivals are of one alert about one thing, oldest first."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.world = stack.world

    def came(self, channel: str, alert: str, about: str = "", *, resolved: bool = False) -> list[Arrival]:
        """Sentry hears of no end."""
        return [
            Arrival(at, text)
            for at, name, text in getattr(self, f"_{channel}")()
            if name == alert and about in text and ("RESOLVED" in text) is resolved
        ]

    def _slack(self) -> Iterator[tuple[float, str, str]]:
        for message in self.world.channels.slack.messages:
            yield message.at, kind(message.payload), message.payload["attachments"][0].get("pretext", "")

    def _mail(self) -> Iterator[tuple[float, str, str]]:
        for mail in self.world.channels.mailbox.mails:
            name = mail.body("plain").partition("\nType: ")[2].partition("\n")[0].strip()
            yield mail.at, name, str(mail.message["Subject"])

    def _sentry(self) -> Iterator[tuple[float, str, str]]:
        for event in self.world.channels.sentry.events:
            yield event.at, event.payload["tags"]["alertname"], event.title

    async def until(self, holds: Callable[[], Any], within: float) -> None:
        """Looks again and again; fails with all that came where it does not hold in time."""
        try:
            async with asyncio.timeout(within):
                while not holds():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            came = {channel: list(getattr(self, f"_{channel}")()) for channel in CHANNELS}
            raise AssertionError(f"not within {within:g} s; {came}") from None

    async def until_told(self, alert: str, about: str, since: float, within: float) -> dict[str, float]:
        """Waits until every channel was told; gives how many seconds after `since` each was, and prints them."""
        await self.until(lambda: all(self.came(channel, alert, about) for channel in CHANNELS), within)
        took = {channel: self.came(channel, alert, about)[0].at - since for channel in CHANNELS}
        times = ", ".join(f"{channel} {seconds:.1f} s" for channel, seconds in took.items())
        print(f"{alert} {about}: {times}")  # noqa: T201  (a report's section shows it)
        return took

    async def until_held_back(self, alert: str, within: float) -> None:
        """Waits until Alertmanager keeps this alert to itself for another one's sake."""
        url = f"{self.stack.monitoring.alertmanager.url}/api/v2/alerts"
        asked = {"filter": f"alertname={alert}", "active": "false", "silenced": "false"}
        async with aiohttp.ClientSession() as session, asyncio.timeout(within):
            while True:
                async with session.get(url, params=asked) as response:
                    if await response.json():
                        return
                await asyncio.sleep(0.1)

    async def break_(self, outage: Outage) -> float:
        """Breaks it; gives when."""
        since = SystemClock().now()
        await self.world.break_(outage)
        return since


def kind(payload: dict[str, Any]) -> str:
    """The alert's name in a Slack message; empty for a notice of a deploy."""
    titles = {str(field["title"]): str(field["value"]) for field in payload["attachments"][0]["fields"]}
    return titles.get("Type", "")


@asynccontextmanager
async def watched() -> AsyncIterator[Watched]:
    """Starts all of it, and waits until Prometheus has seen the exporter well and Alertmanager the Watchdog."""
    faulthandler.cancel_dump_traceback_later()  # its limit is for tests that take no minutes; their own one stays
    found = [program(name) for name in ("prometheus", "prometheus-alertmanager", "promtool")]
    folders = [os.environ["PATH"], *(str(Path(it).parent) for it in found)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join(folders))
        async with started(SystemClock(), lambda _, __: None) as stack:
            it = Watched(stack)
            await it.until(lambda: "firing" in _received(stack), within=90)
            yield it


def _received(stack: Stack) -> str:
    """`firing` once the exporter has got the Watchdog, the last sign that all parts work together."""
    page = stack.app.page.text.plain.decode()
    wanted = 'chatterfy_alerts_received_total{severity="none",status="firing"} '
    return "firing" if any(line.startswith(wanted) and not line.endswith(" 0.0") for line in page.splitlines()) else ""
