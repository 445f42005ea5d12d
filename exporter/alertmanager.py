"""As much of Alertmanager's API as the smoke test and the doctor need."""

import re
from collections import Counter as Tally
from collections.abc import Container
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from exporter.clock import Clock
from exporter.errors import ExporterError
from exporter.tools.http import ask

ATTEMPTS, FAILED_ATTEMPTS, FAILED = "notification_requests", "notification_requests_failed", "notifications_failed"
"""What is counted: an attempt when it has ended, well or not, and a message when it is given up.

`notifications` is of no use: it counts a message when it begins, and one that hangs too.
"""

_COUNTER = re.compile(
    rf'^alertmanager_({ATTEMPTS}|{FAILED_ATTEMPTS}|{FAILED})_total\{{.*?\bintegration="(\w+)".*\}} '
    r"(\d{1,20}(?:\.\d+)?(?:e\+\d\d?)?)$",
    re.MULTILINE,
)

Counts = Tally[tuple[str, str]]
"""Counters by what they count and the kind of integration (slack, email ...), of which all receivers' are one."""
Shape = TypeVar("Shape")


class _Receiver(BaseModel):
    name: str


class _State(BaseModel):
    silenced_by: list[str] = Field(alias="silencedBy")
    inhibited_by: list[str] = Field(alias="inhibitedBy")


class _Alert(BaseModel):
    receivers: list[_Receiver]
    status: _State


class _Original(BaseModel):
    original: str


class _Status(BaseModel):
    config: _Original


class Configuration(BaseModel):
    """As much of alertmanager.yml as is read here: what Alertmanager shows of it has no secrets."""

    receivers: list[dict[str, Any]]

    def integrations(self, receivers: Container[object]) -> dict[str, list[Any]]:
        """The options of everything by which these receivers send, by the kind of integration; none is empty."""
        found: dict[str, list[Any]] = {}
        for receiver in self.receivers:
            if receiver.get("name") in receivers:
                for key, value in receiver.items():
                    if key.endswith("_configs") and isinstance(value, list) and value:
                        found.setdefault(key.removesuffix("_configs"), []).extend(value)
        return dict(sorted(found.items()))


_ALERTS, _STATUS = TypeAdapter(list[_Alert]), TypeAdapter(_Status)


class Alertmanager:
    """The one at this URL; every method raises ExporterError where it does not answer as it should."""

    def __init__(self, url: str, session: aiohttp.ClientSession, clock: Clock) -> None:
        self.url = url
        self._session = session
        self._clock = clock

    async def post(self, labels: dict[str, str], annotations: dict[str, str], begin: float, end: float) -> None:
        """Lets an alert fire from `begin` to `end`, both in seconds since 1970."""
        times = {"startsAt": _time(begin), "endsAt": _time(end)}
        await self._ask("POST", "/api/v2/alerts", json=[{"labels": labels, "annotations": annotations, **times}])

    async def receivers(self, **labels: str) -> list[str]:
        """The names of the receivers that the alert with these labels, which need no escaping, is routed to."""
        where, matchers = "/api/v2/alerts", [("filter", f'{name}="{value}"') for name, value in labels.items()]
        alerts = self._shaped(where, _ALERTS, await self._ask("GET", where, params=matchers))
        if not alerts:
            raise ExporterError(f"{self.url}: Alertmanager took the test alert and does not list it")
        status = alerts[0].status
        if status.silenced_by or status.inhibited_by:
            how = "silenced" if status.silenced_by else "inhibited by another alert"
            raise ExporterError(f"{self.url}: the test alert is {how}: no message will leave")
        return [receiver.name for receiver in alerts[0].receivers]

    async def configuration(self) -> Configuration:
        """What Alertmanager runs with."""
        where = "/api/v2/status"
        text = self._shaped(where, _STATUS, await self._ask("GET", where)).config.original
        try:
            # Nothing but texts, lists and mappings: a receiver may well be called 1, and is "1" everywhere else.
            return Configuration.model_validate(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506  (safer than safe)
        except (yaml.YAMLError, ValidationError, RecursionError) as error:
            raise self._strange(where) from error

    async def counts(self) -> Counts:
        """What has been sent so far, as Alertmanager's own metrics say."""
        where = "/metrics"
        counts: Counts = Tally()
        for what, integration, number in _COUNTER.findall((await self._ask("GET", where)).decode("utf-8", "replace")):
            counts[what, integration] += int(float(number))
        if not counts:
            raise self._strange(where)
        return counts

    async def _ask(self, method: str, path: str, **options: Any) -> bytes:
        where = f"{self.url}{path}"
        answer = await ask(self._session, self._clock, method, where, **options)
        if not 200 <= answer.status <= 299:
            raise ExporterError(f"{where}: the answer's status is {answer.status}")
        return answer.body

    def _shaped(self, path: str, shape: TypeAdapter[Shape], body: bytes) -> Shape:
        try:
            return shape.validate_json(body)
        except ValidationError as error:
            raise self._strange(path) from error

    def _strange(self, path: str) -> ExporterError:
        return ExporterError(f"{self.url}{path}: this is not how Alertmanager answers")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
