"""Sentry's side of things: a project's DSN, an event in its envelope, and the posting of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import AfterValidator

from exporter.config.secret import Secret, SecretField
from exporter.errors import Failed, Reason
from exporter.tools.http import http_failures

CLIENT = f"chatterfy-exporter/{version('chatterfy-exporter')}"
LONGEST_PAUSE = 60
"""Seconds that a Retry-After may hold messages up: beyond that, one message a minute asks again."""

_DSN = re.compile(r"(https?)://([^:/@\s]+)(?::[^/@\s]*)?@([^/@?#\s]+)((?:/[^/?#\s]+)*)/([0-9]+)")
_REASONS: dict[int, Reason] = {401: "auth", 403: "auth", 429: "quota"}


class Throttled(Failed):
    """Sentry takes no more for now: `pause` is how many seconds it wants to be left alone."""

    def __init__(self, pause: int) -> None:
        super().__init__("quota", f"Sentry's status is 429{f', for {pause} s' if pause else ''}")
        self.pause = pause


@dataclass(frozen=True)
class Dsn:
    """A project: the URL that takes its envelopes, and the public key that opens it."""

    url: str
    key: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Dsn":
        """Reads `scheme://key@host/path/project`; the ValueError does not show what was written instead."""
        match = _DSN.fullmatch(text)
        if match is None or not _leads_somewhere(text):
            raise ValueError("expected a DSN such as https://key@sentry.example.com/1")
        scheme, key, host, path, project = match.groups()
        return cls(f"{scheme}://{host}{path}/api/{project}/envelope/", key)


def _leads_somewhere(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _checked(secret: Secret) -> Secret:
    Dsn.parse(secret.reveal())
    return secret


DsnField = Annotated[SecretField, AfterValidator(_checked)]
"""A model's field that holds a DSN, as a Secret."""


def envelope(event: Mapping[str, Any], now: float) -> bytes:
    """An event, whose `event_id` is 32 hexadecimal digits, in its envelope.

    https://develop.sentry.dev/sdk/data-model/envelopes/
    """
    payload = json.dumps(event, separators=(",", ":")).encode()
    sent_at = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
    head = json.dumps({"event_id": event["event_id"], "sent_at": sent_at})
    item = json.dumps({"type": "event", "content_type": "application/json", "length": len(payload)})
    return b"\n".join((head.encode(), item.encode(), payload, b""))


async def send(session: aiohttp.ClientSession, dsn: Dsn, event: Mapping[str, Any], now: float) -> None:
    """Hands one event to Sentry; raises Failed, and Throttled where Sentry wants to be left alone.

    The session is handed in, and so is the time limit. Redirects are not followed: the key is not for others.
    """
    headers = {
        "Content-Type": "application/x-sentry-envelope",
        "X-Sentry-Auth": f"Sentry sentry_key={dsn.key}, sentry_version=7, sentry_client={CLIENT}",
    }
    with http_failures():
        async with session.post(dsn.url, data=envelope(event, now), headers=headers, allow_redirects=False) as response:
            status, pause = response.status, response.headers.get("Retry-After", "")
    if status == 429:
        raise Throttled(min(int(pause), LONGEST_PAUSE) if re.fullmatch("[0-9]{1,9}", pause) else 0)
    if not 200 <= status <= 299:
        raise Failed(_REASONS.get(status, "status"), f"Sentry's status is {status}")
