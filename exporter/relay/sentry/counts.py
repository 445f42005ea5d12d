"""What came, as metrics: events, sessions, check-ins, and what the SDKs themselves had to drop."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from exporter.metrics.catalogue import Metric
from exporter.metrics.labels import OTHER, Places
from exporter.metrics.store import Store
from exporter.relay.sentry.payloads import entries
from exporter.relay.sentry.ratelimits import CATEGORIES
from exporter.relay.sentry.transactions import Transactions

EVENTS = Metric(
    "chatterfy_sentry_events_total",
    "counter",
    "Errors and messages that apps sent to Sentry through this exporter, by level; counted when they come.",
    ("project", "level", "environment"),
)
ITEMS = Metric(
    "chatterfy_sentry_items_total",
    "counter",
    "Items of the envelopes that apps sent, of every kind, also those that are only passed on; counted when they come.",
    ("project", "item"),
)
OUTCOMES = Metric(
    "chatterfy_sentry_outcomes_total",
    "counter",
    "What the SDKs say that they dropped, by reason and by Sentry's category; counted when their reports come.",
    ("reason", "category"),
)
SESSIONS = Metric(
    "chatterfy_sentry_sessions_total",
    "counter",
    "Sessions that started, and how they ended: exited (without an error), errored, crashed, unhandled or abnormal; "
    "counted when they are reported.",
    ("project", "status"),
)
CHECKINS = Metric(
    "chatterfy_sentry_checkins_total",
    "counter",
    "Check-ins of scheduled jobs by monitor and status; counted when they come.",
    ("monitor", "status"),
)

LEVELS = ("fatal", "error", "warning", "info", "debug", OTHER)
_LEVEL = {level: level for level in LEVELS} | {"critical": "fatal", "log": "info"}
"""Levels as Sentry reads them; an event without one is an error."""
_ITEMS = (
    "event", "transaction", "span", "session", "sessions", "check_in", "client_report", "attachment", "user_report",
    "feedback", "profile", "profile_chunk", "replay_event", "replay_recording", "replay_video", "log",
    "trace_metric", "statsd",
)  # fmt: skip
_REASONS = (
    "before_send", "callback_error", "event_processor", "network_error", "queue_overflow", "cache_overflow",
    "buffer_overflow", "ratelimit_backoff", "sample_rate", "send_error", "internal_sdk_error", "ignored", "invalid",
    "no_parent_span", "backpressure", "insufficient_data", "too_many_spans",
)  # fmt: skip
_ENDED = ("exited", "errored", "crashed", "abnormal", "unhandled")
_CHECKS = ("in_progress", "ok", "error")
MOST = 10_000
"""What one entry of a report may add to a counter at most: whoever knows the DSN, which is public, may send it."""


class Counts:
    """Counts what was read of envelopes; belongs to the event loop."""

    def __init__(self, store: Store, environments: Iterable[str], monitors: Places, transactions: Transactions) -> None:
        self._store = store
        self._environments = Places(store, environments)
        self._monitors = monitors
        self._transactions = transactions
        self._reasons, self._categories = Places(store, _REASONS), Places(store, CATEGORIES)
        self._count: dict[str, Callable[[str, Mapping[str, Any]], None]] = {
            "event": self.event,
            "transaction": transactions.transaction,
            "span": transactions.spans,
            "session": self._session,
            "sessions": self._sessions,
            "check_in": self._check_in,
            "client_report": self._client_report,
        }

    def expect(self, project: str, environment: str) -> None:
        """Makes the usual series appear at 0, so that their first increase is not lost."""
        for level in LEVELS:
            self._store.add(EVENTS, project, level, environment, amount=0)
        for status in ("started", *_ENDED):
            self._store.add(SESSIONS, project, status, amount=0)

    def expect_monitor(self, monitor: str) -> None:
        """As `expect`: a job's check-in that it is in progress comes before the one that says how it went."""
        for status in (*_CHECKS, OTHER):
            self._store.add(CHECKINS, monitor, status, amount=0)

    def items(self, project: str, read: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Counts the items of one envelope."""
        for kind, payload in read:
            self._store.add(ITEMS, project, kind if kind in _ITEMS else OTHER)
            if kind in self._count:
                self._count[kind](project, payload)

    def event(self, project: str, event: Mapping[str, Any]) -> None:
        """Counts one event."""
        level = event.get("level") or "error"
        level = _LEVEL.get(level, OTHER) if isinstance(level, str) else OTHER
        self._store.add(EVENTS, project, level, self._environments.value(EVENTS, event.get("environment")))

    def _session(self, project: str, session: Mapping[str, Any]) -> None:
        """One session's update: a session has several, and each thing that befell it shall count once."""
        status, errors, starts = session.get("status"), _amount(session.get("errors")), session.get("init") is True
        if starts:
            self._store.add(SESSIONS, project, "started")
        if errors and (status == "ok" or (status == "exited" and starts)):
            # Its first error; where it has ended since, that is all that there is to say.
            self._store.add(SESSIONS, project, "errored")
        elif status in _ENDED and not (status == "exited" and errors):
            self._store.add(SESSIONS, project, status)

    def _sessions(self, project: str, payload: Mapping[str, Any]) -> None:
        """Sessions that are over, summed up by the SDK."""
        for aggregate in entries(payload, "aggregates"):
            for status in _ENDED:
                amount = _amount(aggregate.get(status))
                self._store.add(SESSIONS, project, "started", amount=amount)
                self._store.add(SESSIONS, project, status, amount=amount)

    def _check_in(self, _: str, check: Mapping[str, Any]) -> None:
        status = check.get("status")
        monitor = self._monitors.value(CHECKINS, check.get("monitor_slug"))
        self.expect_monitor(monitor)
        self._store.add(CHECKINS, monitor, status if status in _CHECKS else OTHER)

    def _client_report(self, _: str, report: Mapping[str, Any]) -> None:
        for loss in entries(report, "discarded_events"):
            reason = self._reasons.value(OUTCOMES, loss.get("reason"))
            category = self._categories.value(OUTCOMES, loss.get("category"))
            self._store.add(OUTCOMES, reason, category, amount=_amount(loss.get("quantity")))


def _amount(value: object) -> int:
    """A whole number from 0 to MOST."""
    return max(0, min(value, MOST)) if isinstance(value, int) else 0
