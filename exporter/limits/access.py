"""Who may send: whoever shows the token, or a page of an allowed origin (CORS, sendBeacon included)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest

from aiohttp import web

from exporter.config.secret import Secret
from exporter.limits.rejected import Rejected

PREFLIGHT_SECONDS = 600
"""How long a browser may remember that it may send; browsers themselves cap it."""


@dataclass(frozen=True)
class Access:
    """A token, origins such as `https://app.example.com`, or neither for an endpoint that is open."""

    token: Secret | None = None
    origins: frozenset[str] = frozenset()

    def check(self, request: web.Request) -> None:
        """Raises Rejected for who is neither; an origin that is not allowed is refused even with the token."""
        origin = request.headers.get("Origin")
        if origin is not None and self.origins and origin not in self.origins:
            raise Rejected(403, "origin", "this origin may not send here: name it in `origins`")
        if self.token and not (origin and self.origins):
            shown = request.headers.get("Authorization", "")
            if not compare_digest(shown.encode(), f"Bearer {self.token.reveal()}".encode()):
                raise Rejected(401, "auth", "expected the header `Authorization: Bearer` with this endpoint's token")
        elif self.origins and origin is None:
            raise Rejected(403, "origin", "expected the header `Origin`, as browsers send it")

    def headers(self, request: web.Request) -> Mapping[str, str]:
        """What lets the page at an allowed origin read the answer."""
        origin = request.headers.get("Origin")
        if not self.origins:
            return {}
        if origin not in self.origins:
            return {"Vary": "Origin"}
        # sendBeacon sends credentials, so a browser asks for both of these; the origin is never `*`.
        return {
            "Access-Control-Allow-Origin": str(origin),
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin",
        }

    def preflight(self, request: web.Request, methods: Iterable[str]) -> web.Response:
        """The answer to a browser that asks first."""
        headers = dict(self.headers(request))
        if "Access-Control-Allow-Origin" in headers:
            headers |= {
                "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
                "Access-Control-Allow-Headers": "content-type, idempotency-key, sentry-trace, baggage, x-sentry-auth",
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            }
        return web.Response(status=204, headers=headers)
