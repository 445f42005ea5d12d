"""GET /chatterfy.js: the module that measures in browsers, which any page may import."""

from hashlib import sha256
from pathlib import Path

from aiohttp import web

from exporter.limits import Call

FILE = Path(__file__).with_name("chatterfy.js")
FRESH = 3600
"""Seconds after which a browser asks whether there is another one; until it knows it may use what it has."""


class Script:
    """Serves the module as the package has it."""

    def __init__(self) -> None:
        self._body = FILE.read_bytes()
        self._tag = sha256(self._body).hexdigest()[:16]

    async def answer(self, call: Call) -> web.Response:
        """The module, or 304 for a browser that has it."""
        known = call.request.if_none_match or ()
        if any(tag.value in (self._tag, "*") for tag in known):
            response = web.Response(status=304)
        else:
            response = web.Response(body=self._body, content_type="text/javascript", charset="utf-8")
        response.etag = self._tag
        response.headers["Cache-Control"] = f"public, max-age={FRESH}, stale-while-revalidate=86400"
        response.headers["Access-Control-Allow-Origin"] = "*"  # there is nothing in it that is anybody's own
        return response
