"""A deploy, as a pipeline tells of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exporter.config.fields import http_url
from exporter.ingest.posted import Field, Malformed, Shape, text

STATUSES = ("succeeded", "failed")
LONGEST = 500
"""Characters of a text for people."""

# Sentry takes no version with a slash, and no environment with a space (https://docs.sentry.io/product/releases/naming-releases/).
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@:~-]{0,99}")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_URL = re.compile(r"https?://[!-~]+")


def _is_url(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value) <= LONGEST and bool(_URL.fullmatch(value) and http_url(value))
    except ValueError:
        return False


def _matching(pattern: re.Pattern[str], expected: str, *, required: bool) -> Field:
    return Field(lambda value: isinstance(value, str) and bool(pattern.fullmatch(value)), expected, required)


_WORDS = "{} letters, digits and {}, the first a letter or a digit"
_FIELDS = {
    "version": _matching(_VERSION, _WORDS.format("1 to 100", ". _ + @ : ~ -"), required=True),
    "environment": _matching(_ENVIRONMENT, _WORDS.format("1 to 64", ". _ -"), required=False),
    "status": Field(lambda value: value in STATUSES, f"one of {', '.join(STATUSES)}", required=False),
    "app": Field(*text(50), required=False),
    "reason": Field(*text(LONGEST), required=False),
    "rollback": Field(*text(LONGEST), required=False),
    "url": Field(_is_url, f"an http or https URL of at most {LONGEST} characters, without a login", required=False),
}
_SHAPE = Shape(_FIELDS, closed=True)


@dataclass(frozen=True)
class Deploy:
    """What was deployed where, and how it went; a text that was not told is empty. `at` is seconds since 1970."""

    version: str
    environment: str
    app: str
    at: float
    status: str = "succeeded"
    reason: str = ""
    rollback: str = ""
    url: str = ""

    @classmethod
    def parse(cls, item: object, environment: str, app: str, at: float) -> "Deploy":
        """Reads what was posted, with what holds where it says nothing; raises Malformed."""
        if not isinstance(item, dict):
            raise Malformed("", "expected an object")
        _SHAPE.check(item)
        told: Mapping[str, Any] = {name: value for name, value in item.items() if value is not None}
        return cls(**{"environment": environment, "app": app, "at": at, **told})

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return self.status == "failed"

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it the same deploy when it is told of again."""
        return self.app, self.version, self.environment, self.status

    @property
    def headline(self) -> str:
        """A line for people."""
        if self.failed:
            return f"❌ {self.app} deployment to {self.environment} failed"
        return f"🚀 {self.app} deployed to {self.environment} successfully"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What else there is to say of it, by title."""
        known = {
            "Environment": self.environment,
            "Version": self.version,
            "Reason": self.reason,
            "Rollback": self.rollback,
            "URL": self.url,
        }
        return [(title, value) for title, value in known.items() if value]
