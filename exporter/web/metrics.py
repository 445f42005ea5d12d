"""GET /metrics: bytes that are already there."""

from aiohttp import web
from prometheus_client.exposition import choose_encoder, gzip_accepted

from exporter.web.site import SITE

routes = web.RouteTableDef()


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """The page in the format that the scraper prefers, compressed if it takes that."""
    page = request.app[SITE].page
    # prometheus_client decides on the format, so that ours is negotiated as every other Python exporter's is.
    content_type = choose_encoder(request.headers.get("Accept", ""))[1]
    form = page.openmetrics if content_type.startswith("application/openmetrics-text") else page.text
    headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
    if gzip_accepted(request.headers.get("Accept-Encoding", "")):
        return web.Response(body=form.gzip, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=form.plain, headers=headers)
