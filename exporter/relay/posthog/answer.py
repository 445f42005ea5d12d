"""PostHog's answer on its way back: piece by piece, no longer than allowed, and with few of its headers."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
from aiohttp import web

from exporter.errors import Failed

_KEPT = (
    "Content-Type", "Content-Encoding", "Cache-Control", "ETag", "Last-Modified", "Expires", "Age", "Vary",
    "Retry-After",
)  # fmt: skip
_PAGES = ("html", "xml", "svg")
_EMPTY = (204, 304)


def sendable(value: str) -> bool:
    """Whether a header's value that came from outside can be passed on."""
    return value.isascii() and value.isprintable()


class Answer:
    """The answer to one request; `response` is None until its head has been sent, and then there is no other.

    `waits_for_client` tells whether it is the client that is slow, not PostHog.
    """

    def __init__(self, request: web.Request, headers: Mapping[str, str], limit: int) -> None:
        self.response: web.StreamResponse | None = None
        self.waits_for_client = False
        self._request = request
        self._headers = headers
        self._limit = limit

    async def take(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        """Passes all of it back, or as much as the client waits for; raises Failed."""
        if not 200 <= answer.status <= 599 or (300 <= answer.status <= 399 and answer.status != 304):
            raise Failed("status", f"the status is {answer.status}, which is not followed")
        if (answer.content_length or 0) > self._limit:
            raise Failed("body", f"the answer is longer than {self._limit} bytes")
        response = web.StreamResponse(status=answer.status, headers=self._kept(answer.headers))
        if answer.content_length is not None and answer.status not in _EMPTY:
            response.content_length = answer.content_length
        self.response = response
        try:
            await response.prepare(self._request)
            async for chunk in self._chunks(answer):
                self.waits_for_client = True
                await response.write(chunk)
                self.waits_for_client = False
        except ConnectionError:
            pass  # the client has gone, which is no failure of PostHog's
        return response

    async def _chunks(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > self._limit:
                raise Failed("body", f"the answer is longer than {self._limit} bytes")
            yield chunk

    def cut(self) -> None:
        """Ends the connection, so that the client does not take a part for the whole."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def _kept(self, theirs: Mapping[str, str]) -> dict[str, str]:
        kept = {name: theirs[name] for name in _KEPT if sendable(theirs.get(name, "\n"))}
        if any(word in kept.get("Content-Type", "").lower() for word in _PAGES):
            kept["Content-Type"] = "text/plain"  # nothing that a browser would run as a page of this origin
        ours = {"X-Content-Type-Options": "nosniff", **self._headers}
        vary = ", ".join(headers["Vary"] for headers in (kept, ours) if "Vary" in headers)
        return {**kept, **ours, **({"Vary": vary} if vary else {})}
