"""Shared I/O handed to plug-ins: connections, HTTP sessions, threads, the clock."""

import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cache
from pathlib import Path

import aiohttp

from exporter.clock import Clock
from exporter.tools.dial import Dialer, Phase, PhasedConnector, Shake
from exporter.tools.threads import OneByOne, in_thread

__all__ = ["Dialer", "OneByOne", "Phase", "Tools", "in_thread"]

KEPT = 15.0
"""Seconds that a relay's connection is kept after an answer: less than the servers that it speaks to keep theirs."""


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

    def relay_session(self) -> aiohttp.ClientSession:
        """An HTTP session for many requests to few servers: connections are kept; whoever asks for it closes it.

        It has no cookies and inflates nothing. Its requests say `allow_redirects=False`, and keep a time limit.
        """
        return aiohttp.ClientSession(
            connector=PhasedConnector(
                self.dialer, lambda _: nullcontext(), tls_context(), 0, lambda _: None, keep=KEPT
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )


@cache
def tls_context(ca_file: Path | None = None, *, verify: bool = True) -> ssl.SSLContext:
    """The one TLS context for these trust settings: making one costs as much as a probe."""
    context = ssl.create_default_context(cafile=ca_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
