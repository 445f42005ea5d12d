"""An ingest listener with endpoints of the test's own, spoken to over plain sockets."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from exporter.clock import Clock
from exporter.limits import Access, Call, Endpoint, LimitsOptions, Listener
from exporter.limits.sockets import bind, release, url_of
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from tests.support.running import value


async def started(listener: Listener, host: str = "127.0.0.1", port: int = 0) -> str:
    """Lets it listen there; gives the URL."""
    bound = await bind(host, port)
    try:
        await listener.listen(bound)
        return url_of(bound)
    finally:
        release(bound)


@dataclass
class Echo:
    """An endpoint at /v1/echo that gives back what came, once it may; `came` is every inflated body."""

    access: Access = field(default_factory=Access)
    came: list[bytes] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    inside: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def answer(self, call: Call) -> web.StreamResponse:
        self.came.append(call.inflated)
        self.inside.release()
        await self.open.wait()
        return web.Response(body=call.inflated)

    def endpoint(self, *methods: str) -> Endpoint:
        return Endpoint("echo", "/v1/echo", self.answer, self.access, methods or ("POST",))


@dataclass
class Listening:
    """The running listener."""

    listener: Listener
    echo: Echo
    shown: Page
    port: int = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Peer"]:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield peer
        finally:
            peer.writer.transport.abort()

    async def ask(self, *args: str, body: bytes = b"", **headers: str) -> "Answer":
        """Sends one request over a connection of its own."""
        async with self.connection() as peer:
            return await peer.ask(*args, body=body, **headers)

    async def rejected(self, reason: str, endpoint: str = "echo") -> Any:
        return value(await self.page(), f'chatterfy_ingest_rejected_total{{endpoint="{endpoint}",reason="{reason}"}}')

    async def page(self) -> str:
        await self.shown.refresh()
        return self.shown.text.plain.decode()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True)
class Peer:
    """A client that sends whatever bytes it is told to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, method: str = "POST", path: str = "/v1/echo", *, body: bytes = b"", **headers: str) -> Answer:
        await self.send(request(method, path, body, **headers))
        return await self.answer(method)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, method: str = "POST") -> Answer:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            fields = (line.partition(": ") for line in head[1:] if line)
            headers = {name.lower(): text for name, _, text in fields}
            length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
            return Answer(int(head[0].split()[1]), headers, (await self.reader.readexactly(length)).decode())

    async def end(self) -> bytes:
        """What still comes until the other side ends the connection."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


def request(method: str, path: str, body: bytes = b"", /, **headers: str) -> bytes:
    """A request; names of headers have underscores."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@asynccontextmanager
async def listening(
    clock: Clock,
    access: Access | None = None,
    *,
    more: Iterable[Endpoint] = (),
    methods: tuple[str, ...] = (),
    **limits: Any,
) -> AsyncIterator[Listening]:
    """Starts it with the echo, which answers at once, and stops it."""
    echo, store = Echo(access or Access()), Store(2000)
    echo.open.set()
    listener = Listener([echo.endpoint(*methods), *more], LimitsOptions(**limits), store, clock)
    it = Listening(listener, echo, Page(store))
    it.port = int((await started(listener)).rpartition(":")[2])
    try:
        yield it
    finally:
        echo.open.set()
        await listener.close()
