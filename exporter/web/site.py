"""What the pages speak of: the one thing that handlers take from the application."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from exporter.clock import Clock
from exporter.metrics.page import Page
from exporter.states import Board


@dataclass(frozen=True)
class Site:
    """The results at hand, and how to have the configuration read again."""

    page: Page
    probes: Board
    tasks: Board
    clock: Clock
    version: str
    environment: Callable[[], str]
    problems: Callable[[], list[str]]
    """What somebody should attend to, a sentence each."""
    reload: Callable[[], Awaitable[str]]
    """Reads the configuration again; returns its problems, or an empty text."""


SITE = web.AppKey("site", Site)
