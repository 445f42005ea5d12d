"""Paths to pages: the route that a path belongs to, as Next.js writes it, or the path without its ids."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from exporter.metrics.catalogue import Metric
from exporter.metrics.labels import OTHER, UNKNOWN, Places
from exporter.metrics.paths import PATH_RULES, normaliser
from exporter.metrics.store import Store

_ONE = re.compile(r"\[\w+\]|:\w+")
_REST = re.compile(r"\[\.\.\.\w+\]|\*")
_REST_OR_NONE = re.compile(r"\[\[\.\.\.\w+\]\]")
_WRITTEN = re.compile(r"/[!-~]{0,99}")
_ADDRESS = re.compile(r"https?://[^/?#]*")
_WRITABLE = re.compile(r"[!-~]*")
"""Browsers write everything else with percent signs."""
LONGEST = 300
"""Characters of a path that is looked at."""


@dataclass(frozen=True)
class Route:
    """A page's route: how it is written, which paths are it, and how specific each of its segments is."""

    written: str
    paths: re.Pattern[str]
    rank: tuple[int, ...]


def route(text: object) -> Route:
    """A route such as `/`, `/chat/[id]`, `/users/:name` or `/docs/[...slug]`."""
    if not isinstance(text, str) or not _WRITTEN.fullmatch(text):
        raise ValueError(f"expected a route such as /chat/[id], got {text!r}")
    segments = text[1:].split("/") if text != "/" else []
    pattern = ""
    rank: list[int] = []
    for segment in segments:
        if rank and rank[-1] > 1:
            raise ValueError(f"expected nothing behind what stands for the rest of a path, got {text!r}")
        if _ONE.fullmatch(segment):
            pattern, kind = pattern + "/[^/]+", 1
        elif _REST.fullmatch(segment):
            pattern, kind = pattern + "/.+", 2
        elif _REST_OR_NONE.fullmatch(segment):
            pattern, kind = pattern + "(?:/.+)?", 3
        else:
            pattern, kind = pattern + "/" + re.escape(segment), 0
        rank.append(kind)
    return Route(text, re.compile(pattern), tuple(rank))


Template = Annotated[
    Route,
    BeforeValidator(route),
    PlainSerializer(lambda made: made.written, return_type=str),
    WithJsonSchema({"type": "string", "description": "A page's route.", "examples": ["/chat/[id]"]}),
]


class Pages:
    """Places for the values of the label `page`."""

    def __init__(self, store: Store, routes: Iterable[Route], cap: int) -> None:
        self._routes = sorted(routes, key=lambda made: made.rank)
        self._declared = {made.written for made in self._routes}
        self._places = Places(store, self._declared, cap)
        self._without_ids = normaliser(PATH_RULES)

    def value(self, metric: Metric, page: str) -> str:
        """The page's label: a declared route, else its path without ids while there is a place."""
        if not page:
            return UNKNOWN
        if page in self._declared:
            return page
        path = re.split("[?#]", _ADDRESS.sub("", page, count=1), maxsplit=1)[0].strip("/")
        path = f"/{path}" if path else ""
        if len(path) > LONGEST or not _WRITABLE.fullmatch(path):
            return OTHER
        for made in self._routes:
            if made.paths.fullmatch(path):
                return made.written
        return self._places.value(metric, self._without_ids(path) or "/")
