"""Relays as tests use them: a section on a listener of its own, and the vendor that it passes things on to."""

import base64
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from exporter.clock import Clock
from exporter.config.secret import Sources
from exporter.limits import Call, Endpoint, Given, LimitsOptions, Listener, Section
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.tools import Tools
from tests.support.listening import started

KEY = "pubkey1234567890abcdef1234567890"
"""The key of Sentry's captured requests; their project is 42."""
CLIENTS = Path(__file__).parents[1] / "data/clients"


@dataclass(frozen=True)
class Sent:
    """A request, to the byte."""

    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def captured(name: str) -> list[Sent]:
    """The requests of a file in tests/data/clients; their path has the query."""
    requests = []
    for line in (CLIENTS / f"{name}.jsonl").read_text().splitlines():
        it = json.loads(line)
        body = base64.b64decode(it["body_base64"]) if "body_base64" in it else it["body"].encode()
        requests.append(Sent(it["path"] + ("?" + it["query"] if it["query"] else ""), it["headers"], body))
    return requests


async def fine(_: web.Request) -> web.StreamResponse:
    return web.json_response({"id": "1"})


@dataclass
class Vendor:
    """Keeps what comes, as it comes; `answer` is what the next requests get."""

    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = fine
    came: list[Sent] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    port: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.connections.add(request.transport)
        self.came.append(Sent(request.path_qs, dict(request.headers), await request.read()))
        return await self.answer(request)

    def answers(self, status: int, text: str = "", **headers: str) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(
                status=status, text=text, headers={name.replace("_", "-"): it for name, it in headers.items()}
            )

        self.answer = answer


@asynccontextmanager
async def vendor() -> AsyncIterator[Vendor]:
    """A vendor on 127.0.0.1."""
    it = Vendor()
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", it.take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    it.port = runner.addresses[0][1]
    try:
        yield it
    finally:
        await runner.cleanup()


@dataclass
class Relaying:
    """A section's endpoints, served; `came` is what its listener got, to the byte."""

    url: str
    shown: Page
    session: aiohttp.ClientSession
    came: list[bytes]

    async def post(self, path: str, body: object, **headers: str) -> tuple[int, Mapping[str, str], str]:
        """Posts with these headers and no others that a client would add; a generator is sent in chunks."""
        async with self.session.post(
            self.url + path,
            data=io.BytesIO(body) if isinstance(body, bytes) else body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),
            allow_redirects=False,
        ) as response:
            return response.status, response.headers, await response.text()

    async def replay(self, sent: Sent) -> int:
        """Sends a captured request as it was sent: in chunks where it was."""

        async def chunks() -> AsyncIterator[bytes]:
            yield sent.body[:100]
            yield sent.body[100:]

        ours = ("Host", "Connection", "Transfer-Encoding", "Content-Length")
        headers = {name: value for name, value in sent.headers.items() if name not in ours}
        body = chunks() if "Transfer-Encoding" in sent.headers else sent.body
        return (await self.post(sent.path, body, **headers))[0]

    async def page(self) -> str:
        await self.shown.refresh()
        return self.shown.text.plain.decode()


@asynccontextmanager
async def relaying(
    section: type[Section], data: Mapping[str, object], clock: Clock, limits: LimitsOptions, **environ: str
) -> AsyncIterator[Relaying]:
    """Serves a section with these options; secrets are in `environ`."""
    options = section.model_validate(data, context=Sources(environ, Path()))
    store = Store(2000)
    came: list[bytes] = []

    def noted(endpoint: Endpoint) -> Endpoint:
        async def answer(call: Call) -> web.StreamResponse:
            came.append(call.body)
            return await endpoint.answer(call)

        return replace(endpoint, answer=answer)

    async with AsyncExitStack() as closing, aiohttp.ClientSession() as session:
        given = Given(store, Tools(clock, str), "production", None, closing)
        listener = Listener(map(noted, options.endpoints(given)), limits, store, clock)
        closing.push_async_callback(listener.close)
        yield Relaying(await started(listener), Page(store), session, came)
