"""Around every request: nothing escapes as a traceback, and pages say how browsers should treat them."""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

log = structlog.get_logger(__name__)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Cache-Control": "no-store",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers 500 without details when a handler fails, and logs why."""
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        response = web.Response(text=f"{answer.reason}\n", status=answer.status, headers=answer.headers)
    except Exception:
        log.exception("request.failed", path=request.path)
        response = web.Response(text="Internal Server Error\n", status=500)
    response.headers.update(_HEADERS)
    return response
