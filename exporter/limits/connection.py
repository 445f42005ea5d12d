"""Connections from strangers: no more than there is room for, and none that waits for ever."""

import asyncio
import resource
from collections import Counter
from typing import Any, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from exporter.limits.clients import client_at
from exporter.limits.gate import SHARES
from exporter.limits.options import LimitsOptions
from exporter.limits.rejected import NOWHERE, REJECTED, RejectReason
from exporter.metrics.store import Store

log = structlog.get_logger(__name__)

LONGEST_LINE = 8190
"""Bytes of the request line, and of each header: as Apache has it, and as aiohttp does unless told otherwise."""
MOST_HEADERS = 64
READ_AHEAD = 16 * 1024
"""Bytes after which a connection is read no further until somebody wants them: requests may wait in a row on it, and
the gate counts what is read of their bodies, not what waits."""
LINGERING = 1.0
"""Seconds for which what is left of a refused body is read and dropped, so that its sender hears why."""
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 30\r\n"
    b"Retry-After: 1\r\nConnection: close\r\n\r\ntoo many connections are open\n"
)


class Door:
    """Counts open connections, so that strangers leave some of the system's for scrapes and for the exporter's own."""

    def __init__(self, options: LimitsOptions, store: Store) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft, self._most = affordable(options.connections, soft, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self._most_of_one = self._most if options.proxies else max(1, self._most // SHARES)
        self._store = store
        self._open: Counter[str] = Counter()
        self.time = options.time

    def enter(self, client: str) -> bool:
        """Whether there is room for one more of this client's."""
        if self._open.total() >= self._most or self._open[client] >= self._most_of_one:
            self.refuse("busy")
            return False
        self._open[client] += 1
        return True

    def leave(self, client: str) -> None:
        """One of this client's is gone."""
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]

    def refuse(self, reason: RejectReason) -> None:
        """Counts what came to no endpoint."""
        self._store.add(REJECTED, NOWHERE, reason)


def affordable(connections: int, soft: int, hard: int) -> tuple[int, int]:
    """The limit of open files to ask the system for, and the connections that half of it allows."""
    if soft == resource.RLIM_INFINITY:
        return soft, connections
    wanted = 2 * connections
    soft = max(soft, wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))
    return soft, min(connections, soft // 2)


class Connection(web.RequestHandler):
    """aiohttp's connection, which ends by itself what sends no whole headers in time, and logs nothing of a request."""

    def __init__(self, door: Door, server: web.Server) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            # Also the time for headers: it runs from the opening, and from each answer, until a request is there.
            keepalive_timeout=door.time,
            # Bodies stay as they came: what is forwarded must not change, and a bomb must not go off in the parser.
            auto_decompress=False,
            read_bufsize=READ_AHEAD,
            lingering_time=LINGERING,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            max_headers=MOST_HEADERS,
            access_log=None,  # type: ignore[arg-type]  # as aiohttp's own runners take it
        )
        self._door = door
        self._client: str | None = None
        self._stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turns away what there is no room for."""
        self._wire = cast("asyncio.Transport", transport)
        client = client_at((transport.get_extra_info("peername") or ("",))[0], (), 0)
        if self._door.enter(client):
            self._client = client
            super().connection_made(transport)
        else:
            self._wire.write(FULL)
            self._wire.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Makes room."""
        self._cancel()
        if self._client is not None:
            self._door.leave(self._client)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read its answer: it has a while to go on."""
        super().pause_writing()
        self._stuck = self._loop.call_later(self._door.time, self._wire.abort)

    def resume_writing(self) -> None:
        """It has gone on."""
        self._cancel()
        super().resume_writing()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  (aiohttp's signature)
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what is no HTTP with one line; a request whose answer has broken off can only be ended."""
        if status != 400:
            raise ConnectionResetError(message) from exc
        self._door.refuse("http")
        long = isinstance(exc, LineTooLong)
        text = f"a line of the headers is longer than {LONGEST_LINE} bytes" if long else "this is no well-formed HTTP"
        response = web.Response(status=431 if long else 400, text=f"{text}\n")
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Says what kind of defect it is, and no more: its words may quote a request."""
        self._door.refuse("internal")
        log.error("ingest.failed", error=type(kw.get("exc_info")).__name__, where=args[0])

    def _cancel(self) -> None:
        if self._stuck:
            self._stuck.cancel()
            self._stuck = None
