"""What Sentry wants no more of for now, as its answers say: https://develop.sentry.dev/sdk/expected-features/rate-limiting/."""

import re
from collections.abc import Iterable, Mapping

HEADER = "X-Sentry-Rate-Limits"
LONGEST = 3600
"""Seconds that a limit holds at most; after that Sentry is asked again."""
DEFAULT = 60
"""Seconds where a refusal does not say for how long."""

CATEGORIES = (
    "default", "error", "transaction", "replay", "security", "attachment", "session", "internal", "profile",
    "profile_chunk", "monitor", "feedback", "span", "log_item", "log_byte", "trace_metric", "trace_metric_byte",
    "metric_bucket",
)  # fmt: skip
"""What Sentry counts and limits."""
_OF_ITEM = {
    "event": "error",
    "sessions": "session",
    "user_report": "feedback",
    "check_in": "monitor",
    "replay_event": "replay",
    "replay_recording": "replay",
    "replay_video": "replay",
    "log": "log_item",
    "statsd": "metric_bucket",
}
"""By kind of item, where Sentry's category has another name."""
_UNLIMITED = "client_report"
_LIMITED = ("", *CATEGORIES)
"""No category means all of them."""
_LIMIT = re.compile(r"\s*(\d{1,9})(?:\.\d*)?:([a-z_;]*)(?::|$)")


class RateLimits:
    """Until when (on the monotonic clock) which categories are refused."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def learn(self, status: int, headers: Mapping[str, str], now: float) -> None:
        """Takes the limits of an answer, whatever its status."""
        if HEADER in headers:
            for limit in headers[HEADER].split(","):
                if match := _LIMIT.match(limit):
                    for category in match[2].split(";"):
                        self._refuse(category, match[1], now)
        elif status == 429:
            self._refuse("", headers.get("Retry-After", ""), now)

    def _refuse(self, category: str, seconds: str, now: float) -> None:
        pause = min(int(seconds), LONGEST) if re.fullmatch("[0-9]{1,9}", seconds) else DEFAULT
        if category in _LIMITED:
            self._until[category] = now + pause

    def pause(self, kinds: Iterable[str], now: float) -> float:
        """Seconds until any of these kinds of items is wanted again; 0 where one is wanted now."""
        until = [self._until_of(kind) for kind in kinds]
        return max(0.0, min(until, default=now) - now)

    def _until_of(self, kind: str) -> float:
        if kind == _UNLIMITED:
            return 0.0
        return max(self._until.get("", 0.0), self._until.get(_OF_ITEM.get(kind, kind), 0.0))

    def header(self, now: float) -> str:
        """The limits that stand, as Sentry itself writes them."""
        standing = {category: round(until - now) for category, until in self._until.items()}
        return ", ".join(f"{left}:{category}:key" for category, left in standing.items() if left > 0)
