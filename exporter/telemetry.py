"""The exporter's own voice: structured logs on stderr, and its own crashes to Sentry where that is wanted."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Redact = Callable[[str], str]

log = structlog.get_logger(__name__)


def configure_logs(level: str, style: str, redact: Redact, crashes: "CrashReports | None" = None) -> None:
    """Sets up structlog: a line per event, `style` auto, json or console; no secret passes, not even in a traceback."""
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the default shows local variables
        )
    )

    def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: _hidden(value, redact) for key, value in event.items()}

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([crashes.report] if crashes else []),
            structlog.processors.format_exc_info,
            hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


class CrashReports:
    """Sends what the supervisors catch to Sentry: no local variables, no bodies, nothing personal, no secrets."""

    def __init__(self, capture: Callable[[BaseException | None], Any]) -> None:
        self._capture = capture

    @classmethod
    def to(cls, dsn: str, environment: str, release: str, redact: Redact) -> "CrashReports | None":
        """Reports to this DSN, or None, with a word in the log, where the extra is not installed."""
        try:
            import sentry_sdk  # noqa: PLC0415  (an optional extra)
        except ImportError:
            log.warning("sentry.missing", advice="install the extra: pip install 'chatterfy-exporter[sentry]'")
            return None
        sentry_sdk.init(
            dsn=dsn,
            environment=environment,
            release=release,
            include_local_variables=False,
            max_request_body_size="never",
            default_integrations=False,
            auto_enabling_integrations=False,
            before_send=lambda event, _: _hidden(event, redact),
        )
        return cls(sentry_sdk.capture_exception)

    def report(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """A structlog step: an event that carries an exception is a crash."""
        if event.get("exc_info"):
            self._capture(sys.exc_info()[1])
        return event


def _hidden(value: Any, redact: Redact) -> Any:
    """The same data with every secret in its texts replaced."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _hidden(item, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, redact) for item in value]
    return value
