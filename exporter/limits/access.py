"""Who may send: whoever shows the token, or a page of an allowed origin (CORS, sendBeacon included)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator

from exporter.config.secret import Secret
from exporter.limits.rejected import Rejected

PREFLIGHT_SECONDS = 600
"""How long a browser may remember that it may send; browsers themselves cap it."""
PAGES_HEADERS = "content-type, idempotency-key, x-sentry-auth, sentry-trace, baggage, traceparent"
"""What a page's request may carry, beyond what browsers let every page send."""
READS = ("GET", "HEAD")
"""Methods that change nothing, and have no body."""

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
_NEVER_SENT = (("https:", ":443"), ("http:", ":80"))


def origin(text: str) -> str:
    """An origin as browsers send it: lower case, no path, no port that goes without saying."""
    never = any(text.startswith(scheme) and text.endswith(port) for scheme, port in _NEVER_SENT)
    if never or not _ORIGIN.fullmatch(text):
        raise ValueError(f"expected an origin such as https://app.example.com, without a path, got {text!r}")
    return text


Origin = Annotated[str, AfterValidator(origin)]
"""A field of options that holds one."""


@dataclass(frozen=True)
class Access:
    """A token, origins such as `https://app.example.com`, or neither for an endpoint that is open to servers.

    Without origins no page may post, not even where there is no token: whatever site somebody behind the firewall
    visits could send in their name otherwise.
    """

    token: Secret | None = None
    origins: frozenset[str] = frozenset()

    @property
    def pages(self) -> bool:
        """Whether pages may send; then browsers ask first, and read the answer."""
        return bool(self.origins)

    def check(self, request: web.Request) -> None:
        """Raises Rejected for who is neither; an origin that is not allowed is refused even with the token."""
        said = request.headers.get("Origin")
        if said is not None and said in self.origins:
            return
        if said is not None and self.origins:
            raise Rejected(403, "origin", "this origin may not send here: name it in `origins`")
        if self.token:
            self._check_token(self.token, request.headers.get("Authorization", ""))
        elif self.origins:
            raise Rejected(403, "origin", "expected the header `Origin`, as browsers send it")
        elif said is not None and request.method not in READS:
            raise Rejected(403, "origin", "no page may send here")

    def headers(self, request: web.Request) -> Mapping[str, str]:
        """What lets the page at an allowed origin read the answer."""
        said = request.headers.get("Origin")
        if not self.origins:
            return {}
        if said not in self.origins:
            return {"Vary": "Origin"}
        # sendBeacon sends credentials, so a browser asks for both of these; the origin is never `*`.
        return {
            "Access-Control-Allow-Origin": str(said),
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin",
        }

    def preflight(self, request: web.Request, methods: Iterable[str]) -> web.Response:
        """The answer to a browser that asks first; raises Rejected for an origin that is not allowed."""
        headers = self.headers(request)
        if "Access-Control-Allow-Origin" not in headers:
            raise Rejected(403, "origin", "this origin may not send here: name it in `origins`")
        return web.Response(
            status=204,
            headers={
                **headers,
                "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
                "Access-Control-Allow-Headers": PAGES_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            },
        )

    def _check_token(self, token: Secret, header: str) -> None:
        scheme, _, shown = header.partition(" ")
        # What is no UTF-8 has come as surrogates, and goes back to what it was.
        same = compare_digest(shown.strip().encode(errors="surrogateescape"), token.reveal().encode())
        if scheme.lower() != "bearer" or not same:
            raise Rejected(401, "auth", "expected the header `Authorization: Bearer` with this endpoint's token")


class Visitors(Access):
    """Servers, which say no origin, and pages of the allowed origins; pages of all where none is named."""

    @property
    def pages(self) -> bool:
        """They may."""
        return True

    def check(self, request: web.Request) -> None:
        """Raises Rejected for a page of another origin."""
        if self.origins and "Origin" in request.headers:
            super().check(request)

    def headers(self, request: web.Request) -> Mapping[str, str]:
        """As any endpoint's; where all may send, they may read too, but not as who their reader is logged in as.

        Also where no origin is said: what a browser or a CDN keeps of that answer is then given to others.
        """
        if self.origins:
            return super().headers(request)
        return {"Access-Control-Allow-Origin": "*"}
