"""The paths that PostHog's SDKs ask for: what is read of each, and which of PostHog's two hosts has it.

https://posthog.com/docs/advanced/proxy/proxy-reference, and the sources of posthog-js and posthog-python.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

_SLASH = "{slash:/?}"
_NAME = "[A-Za-z0-9_-][A-Za-z0-9._-]*"
"""A part of an asset's path; none begins with a dot, and nothing in it is encoded."""

Reads = Literal["events", "key", "nothing"]


@dataclass(frozen=True)
class Route:
    """A path behind the prefix, as aiohttp's pattern; `alone` is what is answered without PostHog, None for 404."""

    pattern: str
    reads: Reads = "nothing"
    assets: bool = False
    alone: Mapping[str, Any] | None = None

    def path(self, found: Mapping[str, str]) -> str:
        """The path at PostHog, put together out of what the pattern lets through, never the one that was asked for."""
        return re.sub(r"\{(\w+):[^}]*\}", lambda part: found[part[1]], self.pattern)


_TAKEN = {"status": 1}
_NO_FLAGS = {"flags": {}, "featureFlags": {}, "featureFlagPayloads": {}, "errorsWhileComputingFlags": False}
_CONFIG = {"supportedCompression": ["gzip", "gzip-js"], "hasFeatureFlags": False}

EVENTS = ("/e", "/i/v0/e", "/i/v0/ai/batch", "/capture", "/batch", "/track")
FLAGS = ("/flags", "/decide")
UNREAD = ("/s", "/i/v1/logs", "/i/v1/metrics")
"""Recordings, logs and metrics of the browser."""
ASKED = ("/api/surveys", "/api/early_access_features", "/api/web_experiments", "/api/product_tours")


def routes() -> Iterator[Route]:
    """All of them; everything else is 404."""
    for path in EVENTS:
        yield Route(path + _SLASH, "events", alone=_TAKEN)
    for path in FLAGS:
        yield Route(path + _SLASH, "key", alone=_NO_FLAGS)
    for path in UNREAD:
        yield Route(path + _SLASH, alone=_TAKEN)
    for path in ASKED:
        yield Route(path + _SLASH)
    yield Route("/array/{key:[A-Za-z0-9_-]+}/{file:config}", assets=True, alone=_CONFIG)
    yield Route(f"/array/{{key:[A-Za-z0-9_-]+}}/{{file:{_NAME}}}", assets=True)
    yield Route(f"/static/{{file:{_NAME}(?:/{_NAME})*}}", assets=True)
