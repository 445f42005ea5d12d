"""Sentry, as it is reached: within bounds, so that no app waits for it longer than it must."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import structlog
from aiohttp import web

from exporter.errors import Failed
from exporter.limits import Rejected
from exporter.metrics.catalogue import Metric
from exporter.metrics.store import Store
from exporter.relay.sentry.ratelimits import HEADER, RateLimits
from exporter.tools import Tools
from exporter.tools.http import http_failures, read_body

log = structlog.get_logger(__name__)

FORWARDS = Metric(
    "chatterfy_sentry_forwards_total",
    "counter",
    "Envelopes that were to go on to Sentry; counted when it is known how that ended.",
    ("project",),
)
FAILURES = Metric(
    "chatterfy_sentry_forward_failures_total",
    "counter",
    "Envelopes that Sentry has not taken, by reason (`limit`: it wants none for now, `full`: too many were under way); "
    "counted when that is known.",
    ("project", "reason"),
)
REASONS = ("timeout", "dns", "connect", "tls", "status", "body", "auth", "quota", "limit", "full")

ANSWER_LIMIT = 16 * 1024
"""Bytes of Sentry's answer that are passed back."""
GRACE = 2.0
"""Seconds that what is under way has when the listener stops."""
AGAIN = 10
"""Seconds after which an SDK may try again when too many envelopes are under way."""

_REFUSALS = {401: "auth", 403: "auth", 429: "quota"}
_PASSED_BACK = (HEADER, "Retry-After")


@dataclass(frozen=True)
class Parcel:
    """What goes on: the bytes, where to, and what items are in it."""

    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    kinds: Sequence[str]


@dataclass(frozen=True)
class Answer:
    """What Sentry said."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def taken(self) -> bool:
        """Whether Sentry has it now."""
        return 200 <= self.status <= 299

    def passed_back(self) -> web.Response:
        """The answer for the app; a redirect is none."""
        if 300 <= self.status <= 399:
            raise Rejected(502, "upstream", "Sentry wants to redirect, which is not followed")
        kept = {name: self.headers[name] for name in _PASSED_BACK if name in self.headers}
        json = self.headers.get("Content-Type", "").startswith("application/json")
        kind = "application/json" if json else "text/plain"
        return web.Response(status=self.status, headers=kept, body=self.body, content_type=kind)


@dataclass(frozen=True)
class Bounds:
    """Seconds that an app waits, seconds that Sentry may take, and how much may be under way at the same moment."""

    wait: float
    timeout: float
    envelopes: int
    bytes: int


class Upstream:
    """Hands parcels over. An app waits a moment for Sentry's own answer, and is then told that all is well.

    SDKs drop what is refused and do not try again, so nothing would be gained by an error. What is under way is
    lost when the process ends before Sentry has it.
    """

    def __init__(self, tools: Tools, store: Store, bounds: Bounds) -> None:
        self._tools = tools
        self._store = store
        self._bounds = bounds
        self._session = tools.relay_session()
        self._limits: dict[str, RateLimits] = {}
        self._under_way: dict[asyncio.Task[Answer | None], int] = {}
        self._failing: set[str] = set()

    def expect(self, project: str) -> None:
        """Makes the project's series appear at 0."""
        self._store.add(FORWARDS, project, amount=0)
        for reason in REASONS:
            self._store.add(FAILURES, project, reason, amount=0)

    async def forward(self, project: str, parcel: Parcel) -> web.Response:
        """Sentry's answer, or that it was accepted; raises Rejected where neither can be said."""
        limits, now = self._limits.setdefault(project, RateLimits()), self._tools.clock.monotonic()
        pause = limits.pause(parcel.kinds, now)
        if pause:
            self._settle(project, "limit")
            headers = {HEADER: limits.header(now), "Retry-After": str(math.ceil(pause))}
            return web.Response(status=429, text="Sentry wants none of this for now\n", headers=headers)
        if not self._has_place(len(parcel.body)):
            self._settle(project, "full")
            raise Rejected(429, "upstream", "too many envelopes are under way to Sentry", AGAIN)
        task = asyncio.create_task(self._deliver(project, parcel))
        self._under_way[task] = len(parcel.body)
        task.add_done_callback(self._under_way.pop)
        try:
            async with self._tools.clock.timeout(self._bounds.wait):
                answer = await asyncio.shield(task)
        except TimeoutError:
            return web.json_response({})
        if answer is None:
            raise Rejected(502, "upstream", "Sentry could not be reached")
        return answer.passed_back()

    def _has_place(self, size: int) -> bool:
        under_way = self._under_way.values()
        return len(under_way) < self._bounds.envelopes and sum(under_way) + size <= self._bounds.bytes

    async def close(self) -> None:
        """Gives what is under way a moment, and ends it."""
        try:
            async with self._tools.clock.timeout(GRACE):
                await asyncio.gather(*self._under_way)
        except TimeoutError:
            pass  # gather has cancelled them
        await self._session.close()

    async def _deliver(self, project: str, parcel: Parcel) -> Answer | None:
        """One try, for nobody knows whether Sentry has taken what it did not answer."""
        reason, detail = "timeout", f"no answer within {self._bounds.timeout:g} s"
        try:
            async with self._tools.clock.timeout(self._bounds.timeout):
                answer = await self._post(parcel)
        except TimeoutError:
            return None
        except Failed as failed:
            reason, detail = failed.reason, failed.detail
            return None
        else:
            reason = "" if answer.taken else _REFUSALS.get(answer.status, "status")
            detail = f"the status is {answer.status}" if reason == "auth" or answer.status >= 500 else ""
            self._limits[project].learn(answer.status, answer.headers, self._tools.clock.monotonic())
            return answer
        finally:
            self._settle(project, reason, detail)

    async def _post(self, parcel: Parcel) -> Answer:
        with http_failures():
            async with self._session.post(
                parcel.url, data=BytesIO(parcel.body), headers=parcel.headers, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers, await read_body(response, ANSWER_LIMIT))

    def _settle(self, project: str, reason: str, detail: str = "") -> None:
        """Counts how it ended; the log says when failing begins and when it is over, not each time.

        Without a detail it says nothing: Sentry refuses some kinds while it takes others, and strangers can bring about
        as many refusals as they like.
        """
        self._store.add(FORWARDS, project)
        if not reason:
            if project in self._failing:
                self._failing.remove(project)
                log.info("sentry.forwarded", project=project)
            return
        self._store.add(FAILURES, project, reason)
        if detail and project not in self._failing:
            self._failing.add(project)
            log.warning("sentry.forward_failed", project=project, reason=reason, detail=detail)
