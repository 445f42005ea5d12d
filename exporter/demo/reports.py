"""Sentry's SDK in the toy's API: errors, one transaction in ten, and each minute's sessions, check-ins and losses."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from exporter.demo.notes import Item
from exporter.demo.posting import Endpoints, Post
from exporter.sentry import Dsn

SAMPLED = 0.1
"""The share of transactions that are sent, as the app's SDK is set up."""
EVERY = 60.0
"""Seconds from one summary to the next."""
RELEASE = "1.4.2"
MONITOR = "daily-metrics"
"""The job of the app whose check-ins come."""


class Reports:
    """Makes envelopes of what the app notes in its request log."""

    def __init__(self, endpoints: Endpoints, random: Random) -> None:
        dsn = Dsn.parse(endpoints.dsn)
        self._path = urlsplit(dsn.url).path
        self._headers = {"X-Sentry-Auth": f"Sentry sentry_key={dsn.key}, sentry_version=7, sentry_client=demo/1"}
        self._common = {"environment": endpoints.environment, "release": RELEASE}
        self._random = random
        self._due = 0.0
        self._seen: Counter[str] = Counter()

    def answered(self, line: Item, now: float) -> list[Post]:
        """What the SDK sends of a request."""
        failed = line["status"] >= 500
        self._seen["errored" if failed else "exited"] += 1
        posts = [self._envelope(now, self._error(line, now))] if failed else []
        if self._random.random() < SAMPLED:
            posts.append(self._envelope(now, self._transaction(line, now)))
        else:
            self._seen["unsampled"] += 1
        return posts

    def summary(self, now: float) -> list[Post]:
        """What the SDK sends once a minute, when it is due."""
        if now < self._due:
            return []
        self._due = now + EVERY
        seen, self._seen = self._seen, Counter()
        started = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0).isoformat()
        aggregate = {"started": started, "exited": seen["exited"], "errored": seen["errored"]}
        lost = {"reason": "sample_rate", "category": "transaction", "quantity": seen["unsampled"]}
        sessions = ("sessions", {"aggregates": [aggregate], "attrs": self._common})
        report = ("client_report", {"timestamp": now, "discarded_events": [lost]})
        check = ("check_in", {"check_in_id": token_hex(16), "monitor_slug": MONITOR, "status": "ok", **self._common})
        return [self._envelope(now, item) for item in (sessions, report, check)]

    def _error(self, line: Item, now: float) -> tuple[str, dict[str, Any]]:
        event = {"level": "error", "message": f"{line['method']} {line['endpoint']}: the database took too long"}
        return "event", {"event_id": token_hex(16), "platform": "node", "timestamp": now, **event, **self._common}

    def _transaction(self, line: Item, now: float) -> tuple[str, dict[str, Any]]:
        trace = {"trace_id": token_hex(16), "span_id": token_hex(8), "op": "http.server"}
        trace["status"] = "internal_error" if line["status"] >= 500 else "ok"
        return "transaction", {
            "event_id": token_hex(16),
            "transaction": f"{line['method']} {line['endpoint']}",
            "start_timestamp": now - line["duration"] / 1000,
            "timestamp": now,
            "contexts": {"trace": trace},
            **self._common,
        }

    def _envelope(self, now: float, item: tuple[str, Mapping[str, Any]]) -> Post:
        sent = {"sent_at": datetime.fromtimestamp(now, UTC).isoformat()}
        lines = [json.dumps(value) for value in (sent, {"type": item[0]}, item[1])]
        return Post(self._path, "\n".join(lines).encode(), self._headers)
