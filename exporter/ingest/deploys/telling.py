"""Telling of deploys: everybody at the same time, each with an outcome of its own, and nobody twice."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.errors import PROBE_REASONS, Failed
from exporter.ingest.deploys.deploy import Deploy
from exporter.ingest.deploys.way import Receiver, Way
from exporter.metrics.catalogue import Metric
from exporter.metrics.store import Store
from exporter.tools import Tools

AGAIN = 60.0
"""Seconds for which what is told of again is the same deploy."""
REMEMBERED = 200
"""Deploys that are remembered for that long."""

OFF, SENT, BEFORE, UNWANTED, FAILED = "off", "sent", "sent before", "not told of failures", "failed: "
"""Outcomes; the last is followed by the reason."""

HANDOVERS = Metric(
    "chatterfy_deploy_notices_total",
    "counter",
    "Notices of deploys that Slack, Grafana or Sentry was to get; counted when it is known how that ended.",
    ("receiver",),
)
FAILURES = Metric(
    "chatterfy_deploy_notice_failures_total",
    "counter",
    "Notices of deploys that were not taken, by reason; counted when that is known.",
    ("receiver", "reason"),
)


@dataclass
class Told:
    """Who knows of a deploy already, and who is being told."""

    since: float
    knowing: set[str] = field(default_factory=set)
    locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))


class Teller:
    """Tells receivers, by name; None is one that is not configured."""

    def __init__(self, receivers: Mapping[str, Receiver | None], tools: Tools, store: Store, limit: float) -> None:
        self._receivers = receivers
        self._tools = tools
        self._store = store
        self._limit = limit
        self._told: dict[tuple[str, ...], Told] = {}
        for name, receiver in receivers.items():
            if receiver:
                store.add(HANDOVERS, name, amount=0)
                for reason in PROBE_REASONS:
                    store.add(FAILURES, name, reason, amount=0)

    def knows(self, deploy: Deploy) -> bool:
        """Whether it was told of within the last minute; from now on it was."""
        now = self._tools.clock.monotonic()
        for key in [key for key, told in self._told.items() if now - told.since >= AGAIN]:
            del self._told[key]
        if deploy.key in self._told:
            return True
        if len(self._told) >= REMEMBERED:
            del self._told[next(iter(self._told))]
        self._told[deploy.key] = Told(now)
        return False

    async def tell(self, deploy: Deploy) -> dict[str, str]:
        """Tells everybody who does not know of it yet; gives the outcomes, by receiver."""
        told = self._told[deploy.key]
        clock = self._tools.clock
        async with self._tools.session() as session:
            way = Way(session, clock, clock.monotonic() + self._limit)
            outcomes = await asyncio.gather(
                *(self._hand_over(name, it, deploy, way, told) for name, it in self._receivers.items())
            )
        return dict(zip(self._receivers, outcomes, strict=True))

    async def _hand_over(self, name: str, receiver: Receiver | None, deploy: Deploy, way: Way, told: Told) -> str:
        if receiver is None:
            return OFF
        if deploy.failed and not receiver.OF_FAILURES:
            return UNWANTED
        try:
            # Whoever tells of it at the same moment waits here, and no longer than the time that all have.
            async with self._tools.clock.timeout(self._limit), told.locks[name]:
                if name in told.knowing:
                    return BEFORE
                await receiver.tell(deploy, way)
        except TimeoutError:
            return self._failed(name, Failed("timeout", f"not taken within {self._limit:g} s"))
        except Failed as failed:
            return self._failed(name, failed)
        told.knowing.add(name)
        self._store.add(HANDOVERS, name)
        return SENT

    def _failed(self, name: str, failed: Failed) -> str:
        self._store.add(HANDOVERS, name)
        self._store.add(FAILURES, name, failed.reason)
        return self._tools.redact(f"{FAILED}{failed}")
