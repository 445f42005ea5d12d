"""One smoke test: the alert fires, each of its messages is watched, the alert is resolved."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex

from exporter.alertmanager import ATTEMPTS, FAILED, FAILED_ATTEMPTS, Alertmanager, Counts
from exporter.clock import Clock
from exporter.errors import ExporterError
from exporter.tools import Tools

NAME = "SmokeTest"
ANNOTATIONS = {
    "summary": "Test of the alert chain: nothing is broken.",
    "description": "Somebody ran the smoke test. It ends by itself; there is nothing to do.",
    "value": "a test",
}
POLL = 0.5
"""Seconds between two looks at Alertmanager's metrics."""
MARGIN = 60.0
"""Seconds after the deadline at which the alert ends where nobody resolves it."""

Say = Callable[[str], None]


async def run(url: str, deadline: float, environment: str, clock: Clock, say: Say) -> bool:
    """Whether every message went out within the deadline (seconds); says how each one fares.

    Raises ExporterError where Alertmanager does not answer as it should. The alert is resolved in any case.
    """
    # The instance is another each time: Alertmanager says nothing new of an alert that it has spoken of already.
    instance = f"smoke-{token_hex(4)}"
    labels = {"alertname": NAME, "severity": "critical", "environment": environment, "instance": instance}
    begin = clock.now()
    async with Tools(clock, str).session() as session:
        alertmanager = Alertmanager(url, session, clock)
        before, started = await alertmanager.counts(), clock.monotonic()
        await alertmanager.post(labels, ANNOTATIONS, begin, begin + deadline + MARGIN)
        try:
            receivers = await alertmanager.receivers(alertname=NAME, instance=instance)
            ways = (await alertmanager.configuration()).integrations(receivers)
            waiting = {kind: len(several) for kind, several in ways.items()}
            if not waiting:
                raise ExporterError(f"{url}: the test alert is routed to {', '.join(receivers)}, which sends nothing")
            say(f"{url}: {NAME} goes to {', '.join(receivers)}: waiting for {', '.join(waiting)}")
            return await _Watch(alertmanager, before, started, waiting, clock, say).until(deadline)
        finally:
            try:
                await alertmanager.post(labels, ANNOTATIONS, begin, clock.now())
            except ExporterError as error:
                say(f"{NAME} is not resolved, and ends by itself: {error}")


@dataclass(frozen=True)
class _Watch:
    """What has become of the messages since the alert began: `before` is what Alertmanager had counted until then."""

    alertmanager: Alertmanager
    before: Counts
    started: float
    waiting: dict[str, int]
    clock: Clock
    say: Say

    async def until(self, deadline: float) -> bool:
        """Waits for the messages; whether all of them were delivered."""
        good = True
        while True:
            counts = await self.alertmanager.counts()
            counts.subtract(self.before)
            passed = self.clock.monotonic() - self.started
            good = self._settle(counts, passed) and good
            if not self.waiting:
                return good
            if passed + POLL >= deadline:
                self._give_up(counts, deadline)
                return False
            await self.clock.sleep(POLL)

    def _settle(self, counts: Counts, passed: float) -> bool:
        """Says which integrations have done with it, and waits for them no longer; False when one has failed."""
        good = True
        for name, messages in list(self.waiting.items()):
            if counts[ATTEMPTS, name] - counts[FAILED_ATTEMPTS, name] >= messages:
                self.say(f"{name}: delivered after {passed:.0f} s")
                del self.waiting[name]
            elif counts[FAILED, name] > 0:
                self.say(f"{name}: failed after {passed:.0f} s: look at Alertmanager's log")
                del self.waiting[name]
                good = False
        return good

    def _give_up(self, counts: Counts, deadline: float) -> None:
        for name in self.waiting:
            failed = counts[FAILED_ATTEMPTS, name]
            why = f"{failed} attempts have failed, look at Alertmanager's log" if failed > 0 else "nothing was sent yet"
            self.say(f"{name}: not delivered within {deadline:g} s: {why}")
