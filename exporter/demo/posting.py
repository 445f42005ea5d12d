"""What the toy's parts post to the exporter, and what they know of it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Endpoints:
    """The exporter's ingest listener, as the toy's parts know it."""

    url: str
    """Where it is, without a slash at the end."""
    token: str | None
    """What the toy's servers and its pipeline show."""
    origin: str
    """The origin of the toy's pages."""
    dsn: str
    """The DSN of its project in Sentry; of that, what stands before the host and behind it."""
    environment: str
    """What the toy calls its installation."""


@dataclass(frozen=True)
class Post:
    """A request."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, path: str, value: Any, *, token: str | None = None, **headers: str) -> "Post":
        """A value as JSON, for whoever wants this token."""
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        all_headers = {"Content-Type": "application/json"} | headers | shown
        return cls(path, json.dumps(value, separators=(",", ":")).encode(), all_headers)


Send = Callable[[Post], Awaitable[int]]
"""Sends it; gives the answer's status, and 0 where there is no answer within some seconds."""
