"""The runbooks as pages: what an alert means, what to look at first, and how to silence it."""

from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from exporter.web.status import page

if TYPE_CHECKING:
    from markdown_it.token import Token

routes = web.RouteTableDef()

_FOLDER = Path(__file__).parent / "runbooks"
"""In a checkout a link to docs/runbooks, where they are kept for readers of the repository; in a wheel the files."""
_INDEX = "README"


@routes.get("/runbooks")
async def index(request: web.Request) -> web.Response:
    """All alerts, the severe ones first."""
    return _runbook(request, _INDEX)


@routes.get("/runbooks/{alert}")
async def runbook(request: web.Request) -> web.Response:
    """What to do about one alert: where its messages lead."""
    return _runbook(request, request.match_info["alert"])


def _runbook(request: web.Request, name: str) -> web.Response:
    # Looked up among what is there: a name with `..` or a slash in it is no file's.
    path = {path.stem: path for path in _FOLDER.glob("*.md")}.get(name)
    if path is None:
        return web.Response(text="No alert has this name; /runbooks lists them all.\n", status=404)
    title = "Runbooks" if name == _INDEX else name
    body = _html(path.read_text(encoding="utf-8"))
    return page("handbook.html", request, title=title, body=body, is_index=name == _INDEX)


def _html(text: str) -> str:
    # Imported when a runbook is first read: it costs 2 MB and 20 ms, and most exporters never show one.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for token in tokens:
        for child in token.children or ():
            _lead_to_pages(child)
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _lead_to_pages(token: "Token") -> None:
    """A link to a neighbouring file, as repositories have them, becomes one to its page."""
    target = str(token.attrGet("href") or "")
    if target.endswith(".md") and "/" not in target:
        name = target.removesuffix(".md")
        token.attrSet("href", "/runbooks" if name == _INDEX else f"/runbooks/{name}")
