"""The ingest listener: a socket of its own, and what every request passes before its endpoint sees it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from traceback import extract_tb

import structlog
from aiohttp import HttpVersion11, web

from exporter.clock import Clock
from exporter.errors import ExporterError
from exporter.limits.access import READS, Access
from exporter.limits.connection import Connection, Door
from exporter.limits.gate import Gate, Place
from exporter.limits.options import LimitsOptions
from exporter.limits.rejected import NOWHERE, REASONS_OF_NONE, REJECT_REASONS, REJECTED, Rejected, RejectReason
from exporter.metrics.store import Store

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)

GRACE = 1.0
"""Seconds that requests under way have when the listener closes."""
_HEADERS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))


@dataclass(frozen=True)
class Call:
    """A request that passed: the body as it came, and without its compression."""

    request: web.Request
    body: bytes
    gate: Gate
    place: Place

    @cached_property
    def inflated(self) -> bytes:
        """The body without its compression; raises Rejected."""
        encoding = ",".join(self.request.headers.getall("Content-Encoding", ()))
        return self.gate.inflated(self.body, encoding, self.place)


@dataclass(frozen=True)
class Endpoint:
    """What answers at one path. `name` is its label; `answer` gives a response or raises Rejected."""

    name: str
    path: str
    answer: Callable[[Call], Awaitable[web.StreamResponse]]
    access: Access = field(default_factory=Access)
    methods: Sequence[str] = ("POST",)


class Listener:
    """Serves endpoints on one address; nothing else is there, and nothing of the operator's."""

    def __init__(self, endpoints: Iterable[Endpoint], options: LimitsOptions, store: Store, clock: Clock) -> None:
        """Raises ExporterError where two endpoints have the same path."""
        self._store = store
        self._gate = Gate(options, clock)
        self._door = Door(options, store)
        self._closing = False
        self._servers: list[asyncio.Server] = []
        self._runner = web.AppRunner(self._application(endpoints), shutdown_timeout=0.1)

    def _application(self, endpoints: Iterable[Endpoint]) -> web.Application:
        application = web.Application()
        add = partial(application.router.add_route, expect_handler=_going_on)
        names: dict[str, str] = {}
        for endpoint in endpoints:
            if endpoint.path in names:
                raise ExporterError(f"ingest: {names[endpoint.path]} and {endpoint.name} are both at {endpoint.path}")
            names[endpoint.path] = endpoint.name
            methods = (*endpoint.methods, *(("OPTIONS",) if endpoint.access.pages else ()))
            for method in methods:
                add(method, endpoint.path, self._passing(endpoint))
            add("*", endpoint.path, self._nowhere(405, "Method Not Allowed", Allow=methods))
            for reason in REJECT_REASONS:
                if reason not in ("path", "http"):
                    self._count(endpoint.name, reason, 0)
        add("*", "/{path:.*}", self._nowhere(404, "Not Found"))
        for reason in REASONS_OF_NONE:
            self._count(NOWHERE, reason, 0)
        return application

    async def listen(self, bound: Iterable[socket.socket]) -> None:
        """Serves on sockets, which stay the caller's: what waits there when this listener closes waits for the next."""
        await self._runner.setup()
        loop, server = asyncio.get_running_loop(), self._runner.server
        for sock in bound:
            self._servers.append(
                await loop.create_server(lambda: Connection(self._door, server), sock=sock.dup())  # type: ignore[arg-type]  # set up above
            )

    async def close(self) -> None:
        """Stops listening, and gives requests under way one second."""
        for server in self._servers:
            server.close()
        # What a request's headers announce still comes: a connection that is told to close reads no more of a body.
        self._closing = True
        ending = asyncio.create_task(self._gate.empty())
        await asyncio.wait([ending], timeout=GRACE)
        ending.cancel()
        await self._runner.cleanup()

    def _passing(self, endpoint: Endpoint) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                with self._gate.passage(request) as place:
                    response = await self._answer(endpoint, request, place)
            except Rejected as rejected:
                response = self._refuse(endpoint.name, rejected, request)
            except Exception as error:  # noqa: BLE001  (an endpoint's defect ends here)
                response = self._fail(endpoint.name, error)
            if not response.prepared:
                _unbegun(request)
                response.headers.update(endpoint.access.headers(request))
                self._finish(response)
            return response

        return handle

    async def _answer(self, endpoint: Endpoint, request: web.Request, place: Place) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return endpoint.access.preflight(request, endpoint.methods)
        endpoint.access.check(request)
        body = b"" if request.method in READS else await self._gate.body(request, place)
        return await endpoint.answer(Call(request, body, self._gate, place))

    def _nowhere(self, status: int, told: str, **headers: Iterable[str]) -> Handler:
        """No endpoint is there, or none for this method; those who look for one are paced as well."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                self._gate.pace(request)
            except Rejected as rejected:
                response = self._refuse(NOWHERE, rejected, request)
            else:
                self._count(NOWHERE, "path")
                joined = {name: ", ".join(values) for name, values in headers.items()}
                response = web.Response(text=f"{told}\n", status=status, headers=joined)
            self._finish(response)
            return response

        return handle

    def _finish(self, response: web.StreamResponse) -> None:
        """Whatever is answered, browsers neither keep it nor guess what it is, unless the endpoint says otherwise."""
        for name, value in _HEADERS:
            response.headers.setdefault(name, value)
        if self._closing:
            response.force_close()

    def _refuse(self, name: str, rejected: Rejected, request: web.Request) -> web.Response:
        self._count(name, rejected.reason)
        headers = {"Retry-After": str(rejected.retry_after)} if rejected.retry_after else {}
        response = web.Response(text=f"{rejected.message}\n", status=rejected.status, headers=headers)
        if rejected.reason in ("size", "slow") or request.content.exception():
            response.force_close()  # what is left of the body is not read, or makes no sense
        return response

    def _fail(self, name: str, error: Exception) -> web.Response:
        """Logs where it was and of what kind; the error's words may quote what was posted."""
        self._count(name, "internal")
        frame = extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        log.error("ingest.failed", endpoint=name, error=type(error).__name__, where=where)
        return web.Response(text="Internal Server Error\n", status=500)

    def _count(self, name: str, reason: RejectReason, amount: int = 1) -> None:
        self._store.add(REJECTED, name, reason, amount=amount)


async def _going_on(request: web.Request) -> None:
    """Lets a body come that waits for a word; whatever else is expected, the request is one like any other."""
    if request.headers["Expect"].lower() == "100-continue" and request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun


def _unbegun(request: web.Request) -> None:
    """Ends the connection where an answer has begun already: a second one would be taken for a part of it."""
    if request.writer.output_size and request.transport:
        request.transport.abort()
        raise ConnectionResetError("the answer has broken off")
