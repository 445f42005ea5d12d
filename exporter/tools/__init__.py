"""Shared I/O handed to plug-ins: connections, HTTP sessions, threads, the clock."""

import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cache
from pathlib import Path

import aiohttp

from exporter.clock import Clock
from exporter.tools.dial import Dialer, Phase, PhasedConnector, Shake
from exporter.tools.threads import in_thread

__all__ = ["Dialer", "Phase", "Tools", "in_thread"]


class Tools:
    """What a probe or a query may use of the outside world."""

    def __init__(self, clock: Clock, redact: Callable[[str], str]) -> None:
        self.clock = clock
        self.redact = redact
        self.dialer = Dialer()

    def session(
        self,
        phase: Phase = lambda _: nullcontext(),
        tls: ssl.SSLContext | None = None,
        family: int = 0,
        shake: Shake = lambda _: None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
        """An HTTP session for one run: fresh connections, timed in phases; no cookies, no time limit but the run's."""
        return aiohttp.ClientSession(
            connector=PhasedConnector(self.dialer, phase, tls or tls_context(), family, shake),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"User-Agent": "chatterfy-exporter"},
        )


@cache
def tls_context(ca_file: Path | None = None, *, verify: bool = True) -> ssl.SSLContext:
    """The one TLS context for these trust settings: making one costs as much as a probe."""
    context = ssl.create_default_context(cafile=ca_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
