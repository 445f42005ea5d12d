"""Alerts as messages in Sentry, and the handing over of them."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from exporter.alerts.payload import Alert
from exporter.errors import Failed
from exporter.sentry import CLIENT, Dsn, Throttled, send
from exporter.tools import Tools

DEADLINE = 8.0
"""Seconds in which all messages of one request must be handed over: Alertmanager itself waits for at least ten."""
AT_ONCE = 4
"""Messages that are under way to Sentry at the same moment."""

_LEVELS = {"critical": "error", "info": "info", "none": "info"}
_LABELS, _KEY, _VALUE, _TEXT = 50, 32, 200, 2000
"""How many labels become tags, and how many characters are left of a tag's key, of its value and of a text."""
_NOT_IDENTIFYING = {"alertname", "severity", "instance"}
"""What two alerts about the same thing may differ in: an instance's address changes with every deploy."""


def message(
    alert: Alert, alertmanager: str, environment: str, now: float, redact: Callable[[str], str]
) -> dict[str, Any]:
    """An alert as Sentry's event. `event_id` is that of the alert since it fires: Sentry drops what it has already.

    https://develop.sentry.dev/sdk/data-model/event-payloads/
    """

    def text(value: str, most: int = _TEXT) -> str:
        return redact(value)[:most]

    labels = {name: text(value, _VALUE) for name, value in sorted(alert.labels.items())[:_LABELS] if value}
    notes = alert.annotations
    context = {
        "description": notes.get("description", ""),
        "value": notes.get("value", ""),
        "runbook": notes.get("runbook_url", ""),
        "dashboard": notes.get("dashboard_url", ""),
        "graph": alert.generator_url,
        "alertmanager": alertmanager,
        "starts_at": alert.starts_at,
    }
    return {
        "event_id": uuid5(NAMESPACE_URL, f"alert:{alert.fingerprint}:{alert.starts_at}").hex,
        "timestamp": now,
        "platform": "other",
        "logger": "alertmanager",
        "level": _LEVELS.get(alert.labels.get("severity", ""), "warning"),
        "message": text(notes.get("summary") or alert.name),
        "environment": re.sub(r"[/\s]+", "-", labels.get("environment", environment))[:64],
        "fingerprint": ["chatterfy-alert", text(alert.name), *_identity(labels)],
        "tags": {_key(name): value.replace("\n", " ") for name, value in labels.items() if name != "environment"},
        "contexts": {"alert": {name: text(value) for name, value in context.items() if value}},
        "sdk": dict(zip(("name", "version"), CLIENT.split("/"), strict=True)),
    }


def _identity(labels: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in labels.items() if name not in _NOT_IDENTIFYING]


def _key(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_.:-]", "_", name)[:_KEY]


class Outbox:
    """Hands messages to one project, each once: a repeated notification goes on where the last one ended.

    It remembers so many of the messages that Sentry has; one that it forgot Sentry itself would know again.
    """

    def __init__(self, dsn: Dsn, tools: Tools, remembered: int = 10_000) -> None:
        self._dsn = dsn
        self._remembered = remembered
        self._tools = tools
        self._delivered: dict[str, None] = {}  # a set that keeps its order
        self._resumes = 0.0

    async def deliver(self, events: Iterable[dict[str, Any]]) -> list[Failed | None]:
        """Sends what Sentry does not have yet, within DEADLINE; gives how each of these ended, None for well."""
        slots = asyncio.Semaphore(AT_ONCE)
        new = {event["event_id"]: event for event in events if event["event_id"] not in self._delivered}
        if not new:
            return []
        async with self._tools.session() as session:

            async def hand_over(event: dict[str, Any]) -> Failed | None:
                try:
                    # All begin now, so that each one's time limit, the wait for a slot included, is that of the whole.
                    async with self._tools.clock.timeout(DEADLINE), slots:
                        self._mind_the_pause()
                        await send(session, self._dsn, event, self._tools.clock.now())
                except Throttled as failure:
                    self._resumes = self._tools.clock.monotonic() + failure.pause
                    return failure
                except Failed as failure:
                    return failure
                except TimeoutError:
                    return Failed("timeout", f"Sentry has not taken it within {DEADLINE:g} s")
                self._remember(event["event_id"])
                return None

            return await asyncio.gather(*map(hand_over, new.values()))

    def _mind_the_pause(self) -> None:
        left = self._resumes - self._tools.clock.monotonic()
        if left > 0:
            raise Failed("quota", f"Sentry wants no message for another {left:.0f} s")

    def _remember(self, event_id: str) -> None:
        self._delivered[event_id] = None
        if len(self._delivered) > self._remembered:
            del self._delivered[next(iter(self._delivered))]
