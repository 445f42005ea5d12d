"""Do Alertmanager's messages get through? It reads secrets at each message: until then nobody knows that it cannot."""

from collections import Counter as Tally
from collections.abc import AsyncIterator, Iterator
from typing import Any

from exporter.alertmanager import ATTEMPTS, FAILED, FAILED_ATTEMPTS, Alertmanager, Counts
from exporter.doctor.checks.answers import ALERTMANAGER
from exporter.doctor.finding import Finding, good, some, wrong
from exporter.doctor.prometheus import query
from exporter.doctor.stack import Stack, check
from exporter.errors import ExporterError

EARLIER = (
    "min by (__name__, integration) (sum by (__name__, instance, integration) "
    f'({{__name__=~"alertmanager_({ATTEMPTS}|{FAILED_ATTEMPTS}|{FAILED})_total"}} offset 15m))'
)


@check("alertmanager", ALERTMANAGER)
async def alertmanager_messages(stack: Stack) -> AsyncIterator[Finding]:
    """Counts within 15 minutes where Prometheus remembers what was before, and since Alertmanager's start elsewhere.

    Versions 0.25 to 0.33 take an unreadable secret at start and at a reload. Slack's message then fails at its first
    attempt; mail and webhooks are tried again until the group's interval is over, and count as failed only then.
    """
    server = stack["alertmanager"]
    alertmanager = Alertmanager(server.url, server.session, server.clock)
    configuration, counts, earlier = await alertmanager.configuration(), await alertmanager.counts(), await _then(stack)
    period = "within 15 minutes" if earlier else "since it started"
    for key, count in earlier.items():
        if counts[key] >= count:  # otherwise it was restarted in between
            counts[key] -= count
    names = [receiver.get("name") for receiver in configuration.receivers]
    for kind, options in configuration.integrations(names).items():
        yield _judge(kind, counts, period, set(_files(options, set())))


def _judge(kind: str, counts: Counts, period: str, files: set[str]) -> Finding:
    tried, failed = counts[ATTEMPTS, kind], counts[FAILED_ATTEMPTS, kind]
    if counts[FAILED, kind] > 0 or 0 < tried == failed:
        why = f"it cannot read {some(files)}, or what is in there is refused; " if files else ""
        return wrong(f"{kind}: {failed} of {tried} attempts to send failed {period}", f"{why}its log says why")
    if tried > 0:
        return good(f"{kind}: {tried - failed} messages delivered {period}")
    return good(f"{kind}: nothing to send {period} (`chatterfy-exporter smoke` sends a test)")


async def _then(stack: Stack) -> Counts:
    """What was counted 15 minutes ago, as far as Prometheus remembers."""
    found: Counts = Tally()
    if "prometheus" in stack:
        try:
            rows = await query(stack["prometheus"], EARLIER)
        except ExporterError:
            return found  # what is wrong with Prometheus was said in its turn
        for labels, value in rows:
            what = labels.get("__name__", "").removeprefix("alertmanager_").removesuffix("_total")
            found[what, labels.get("integration", "")] = int(value)
    return found


def _files(options: Any, seen: set[int]) -> Iterator[str]:
    """The files named anywhere in the options, where the same part may stand in many places."""
    if id(options) in seen:
        return
    seen.add(id(options))
    if isinstance(options, list):
        for item in options:
            yield from _files(item, seen)
    elif isinstance(options, dict):
        for key, value in options.items():
            if str(key).endswith("_file") and isinstance(value, str) and value:
                yield value
            else:
                yield from _files(value, seen)
