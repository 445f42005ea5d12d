"""PostHog, as it is reached: two hosts and no other, within bounds of time, size and number."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

import structlog
from aiohttp import web
from yarl import URL

from exporter.errors import Failed
from exporter.limits import Call, Rejected
from exporter.limits.gate import SHARES
from exporter.metrics.catalogue import Metric
from exporter.metrics.store import Store
from exporter.relay.posthog.answer import Answer
from exporter.tools import Tools
from exporter.tools.http import http_failures

log = structlog.get_logger(__name__)

FORWARDS = Metric(
    "chatterfy_posthog_forwards_total",
    "counter",
    "Requests that were to go on to PostHog; counted when it is known how that ended.",
)
FAILURES = Metric(
    "chatterfy_posthog_forward_failures_total",
    "counter",
    "Requests that PostHog has not taken, by reason (`full`: too many were under way); counted when that is known.",
    ("reason",),
)
REASONS = ("timeout", "dns", "connect", "tls", "status", "body", "auth", "quota", "full")
_REFUSALS = {401: "auth", 403: "auth", 429: "quota"}


@dataclass(frozen=True)
class Bounds:
    """Seconds for a whole answer, its bytes, and how many requests may be under way: a quarter of them one client's."""

    timeout: float
    answer: int
    at_once: int


@dataclass(frozen=True)
class Parcel:
    """What goes on: to where, with which headers, and the bytes, None for none."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)


class Upstream:
    """Hands requests over, and answers back; each is tried once, since SDKs try again themselves."""

    def __init__(self, tools: Tools, store: Store, bounds: Bounds) -> None:
        self._clock = tools.clock
        self._session = tools.relay_session()
        self._store = store
        self._bounds = bounds
        self._under_way: Counter[str] = Counter()
        self._failing = False
        store.add(FORWARDS, amount=0)
        for reason in REASONS:
            store.add(FAILURES, reason, amount=0)

    async def pass_on(self, parcel: Parcel, call: Call, headers: Mapping[str, str]) -> web.StreamResponse:
        """PostHog's answer with our `headers`, sent already; raises Rejected where nothing of one has come."""
        client, most = call.place.client, self._bounds.at_once
        if self._under_way.total() >= most or self._under_way[client] >= max(1, most // SHARES):
            self._settle("full")
            raise Rejected(503, "upstream", "too many requests are under way to PostHog", 1)
        answer = Answer(call.request, headers, self._bounds.answer)
        self._under_way[client] += 1
        try:
            response = await self._try(parcel, answer)
        except Failed as failed:
            self._settle("" if answer.waits_for_client else failed.reason, failed.detail)
            if answer.response is None:
                raise _rejected(failed) from None
            answer.cut()
            return answer.response
        finally:
            self._under_way[client] -= 1
            if not self._under_way[client]:
                del self._under_way[client]
        self._settle(_refusal(response.status), f"the status is {response.status}" if response.status >= 500 else "")
        return response

    async def close(self) -> None:
        """Closes the connections that are kept."""
        await self._session.close()

    async def _try(self, parcel: Parcel, answer: Answer) -> web.StreamResponse:
        body = None if parcel.body is None else BytesIO(parcel.body)
        try:
            async with self._clock.timeout(self._bounds.timeout):
                with http_failures():
                    async with self._session.request(
                        parcel.method, parcel.url, data=body, headers=parcel.headers, allow_redirects=False
                    ) as response:
                        return await answer.take(response)
        except TimeoutError:
            raise Failed("timeout", f"no whole answer within {self._bounds.timeout:g} s") from None

    def _settle(self, reason: str, detail: str = "") -> None:
        """Counts how it ended; the log says when failing begins and when it is over, not each time.

        Without a detail it says nothing, for strangers can bring about as many refusals as they like.
        """
        self._store.add(FORWARDS)
        if reason:
            self._store.add(FAILURES, reason)
            if detail and not self._failing:
                self._failing = True
                log.warning("posthog.forward_failed", reason=reason, detail=detail)
        elif self._failing:
            self._failing = False
            log.info("posthog.forwarded")


def _refusal(status: int) -> str:
    """Why a status says that PostHog has not taken it, empty where it has; a script that is not there is no failure."""
    return _REFUSALS.get(status, "status" if status >= 400 and status != 404 else "")


def _rejected(failed: Failed) -> Rejected:
    if failed.reason == "timeout":
        return Rejected(504, "upstream", "PostHog has not answered in time")
    return Rejected(502, "upstream", "PostHog could not be reached, or has given no answer that can be passed back")
