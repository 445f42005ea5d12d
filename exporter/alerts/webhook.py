"""POST /v1/alerts: Alertmanager's notifications become messages in Sentry, the Watchdog's a sign of life."""

from collections import Counter as Tally
from collections.abc import Callable
from hmac import compare_digest

import structlog
from aiohttp import web

from exporter.alerts.options import AlertsOptions
from exporter.alerts.payload import Alert, Notification, parse
from exporter.alerts.sentry import Outbox, message
from exporter.config.secret import Secret
from exporter.errors import REASONS, Failed
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.store import Store
from exporter.sentry import Dsn
from exporter.tools import Tools

log = structlog.get_logger(__name__)

LAST_SEEN = Metric(
    "chatterfy_alert_pipeline_last_seen_timestamp_seconds",
    "gauge",
    "When the Watchdog alert last came from Alertmanager, in seconds since 1970; set at start where alerts are "
    "configured, then at each Watchdog.",
)
RECEIVED = Metric(
    "chatterfy_alerts_received_total",
    "counter",
    "Alerts in Alertmanager's notifications, those that were there before included; counted at every notification.",
    ("status", "severity"),
)
SENT = Metric(
    "chatterfy_alerts_sentry_total", "counter", "Messages of alerts that Sentry has taken; counted at every message."
)
FAILURES = Metric(
    "chatterfy_alerts_sentry_failures_total",
    "counter",
    "Messages of alerts that Sentry has not taken, by reason; counted at every try.",
    ("reason",),
)

STATUSES = ("firing", "resolved")
SEVERITIES = ("critical", "warning", "info", "none", "other")
WATCHDOG = "Watchdog"
BODY_LIMIT = 1024 * 1024
STALE = 600.0
"""Seconds without a Watchdog after which somebody should look."""


class Alerts:
    """The endpoint, and what it has seen; without its section in the configuration it answers 404 and shows nothing."""

    def __init__(self, store: Store, tools: Tools, environment: Callable[[], str]) -> None:
        self._store = store
        self._tools = tools
        self._environment = environment
        self._options: AlertsOptions | None = None
        self._dsn: Dsn | None = None
        self._outbox: Outbox | None = None
        self._last_seen = 0.0
        self._counts: Tally[tuple[Metric, tuple[str, ...]]] = Tally()

    def configure(self, options: AlertsOptions | None, default: Secret | None) -> None:
        """Takes the section as it is now, None where it is absent, and the DSN to use where the section names none."""
        if options is not None and self._options is None:
            self._last_seen = self._tools.clock.now()
            self._counts = Tally()
        self._options = options
        secret = options and (options.sentry or default)
        dsn = Dsn.parse(secret.reveal()) if secret else None
        if dsn != self._dsn:
            self._dsn, self._outbox = dsn, Outbox(dsn, self._tools) if dsn else None
        self._show()

    def problems(self) -> list[str]:
        """What somebody should attend to, a sentence each."""
        age = self._tools.clock.now() - self._last_seen
        if self._options is None or age <= STALE:
            return []
        told = f"No Watchdog has come from Alertmanager for {age / 60:.0f} minutes: alerts may not reach anybody."
        return [f"{told} See whether Prometheus and Alertmanager run, and whether their logs speak of /v1/alerts."]

    async def receive(self, request: web.Request) -> web.Response:
        """Answers 200 once Sentry has every message, 503 while it has not: Alertmanager then tries again."""
        if self._options is None:
            return _answer(404, "alerts are not configured: add the section `alerts` with a `token`")
        if not _shows(request, self._options.token):
            log.warning("alerts.refused", reason="auth", remote=request.remote)
            return _answer(401, "expected the header `Authorization: Bearer` with the token of the section `alerts`")
        try:
            notification = parse(await _body(request))
        except ValueError as error:
            # The message may quote what was posted, so it is for the sender alone.
            log.warning("alerts.refused", reason="body", remote=request.remote)
            return _answer(400, str(error))
        return await self._take(notification)

    async def _take(self, notification: Notification) -> web.Response:
        now = self._tools.clock.now()
        firing = [alert for alert in notification.alerts if alert.status == "firing"]
        for alert in notification.alerts:
            severity = alert.labels.get("severity", "none")
            self._counts[RECEIVED, (alert.status, severity if severity in SEVERITIES else "other")] += 1
        if any(alert.name == WATCHDOG for alert in firing):
            self._last_seen = now
        outcomes = await self._send([alert for alert in firing if alert.name != WATCHDOG], notification.external_url)
        self._show()
        failures = [failure for failure in outcomes if failure]
        if failures:
            text = f"{len(failures)} of {len(outcomes)} messages are not in Sentry yet: {failures[0].reason}"
            return _answer(503, text)
        return _answer(200, "taken")

    async def _send(self, alerts: list[Alert], alertmanager: str) -> list[Failed | None]:
        """Hands over what Sentry does not have yet; how each of these messages ended is counted and logged."""
        if self._outbox is None:
            return []
        now, redact, environment = self._tools.clock.now(), self._tools.redact, self._environment()
        events = [message(alert, alertmanager, environment, now, redact) for alert in alerts]
        outcomes = await self._outbox.deliver(events)
        failures = [failure for failure in outcomes if failure]
        self._counts[SENT, ()] += len(outcomes) - len(failures)
        for failure in failures:
            self._counts[FAILURES, (failure.reason,)] += 1
        if failures:
            first, failed = failures[0], len(failures)
            log.warning(
                "alerts.failed", reason=first.reason, detail=first.detail, failed=failed, messages=len(outcomes)
            )
        elif outcomes:
            log.info("alerts.sent", messages=len(outcomes))
        return outcomes

    def _show(self) -> None:
        """Puts what is known on the page, every series from the start, or takes all of it off."""
        series: list[tuple[Metric, tuple[str, ...]]] = [(SENT, ())]
        series += [(RECEIVED, (status, severity)) for status in STATUSES for severity in SEVERITIES]
        series += [(FAILURES, (reason,)) for reason in REASONS]
        samples = [Sample(metric, labels, self._counts[metric, labels]) for metric, labels in series]
        self._store.replace("alerts", [Sample(LAST_SEEN, (), self._last_seen), *samples] if self._options else ())


def _shows(request: web.Request, token: Secret) -> bool:
    """Whether the request shows the token; how long the comparison takes says nothing of it."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return (
        compare_digest(shown.strip().encode("utf-8", "surrogateescape"), token.reveal().encode())
        and scheme.lower() == "bearer"
    )


async def _body(request: web.Request) -> bytes:
    """The whole body, inflated; the listener's own limit is lower and is for requests that carry nothing."""
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise web.HTTPRequestEntityTooLarge(BODY_LIMIT, len(body))
    except web.RequestPayloadError as error:
        raise ValueError("body: it ends early, or is not as the headers say") from error
    return bytes(body)


def _answer(status: int, text: str) -> web.Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return web.Response(text=f"{text}\n", status=status, headers=headers)
