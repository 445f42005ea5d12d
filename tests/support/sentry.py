"""A stand-in for Sentry: takes envelopes over real HTTP, and answers as it is told to."""

import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.servers import http_server


@dataclass(frozen=True)
class Envelope:
    """What was posted: the path and headers of the request, the envelope's own header, and its items."""

    path: str
    headers: dict[str, str]
    header: dict[str, Any]
    items: list[tuple[dict[str, Any], Any]]

    @classmethod
    def read(cls, path: str, headers: dict[str, str], body: bytes) -> "Envelope":
        text = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        line, _, rest = text.partition(b"\n")
        items = []
        while rest.strip():
            item, _, rest = rest.partition(b"\n")
            head = json.loads(item)
            items.append((head, json.loads(rest[: head["length"]])))
            rest = rest[head["length"] :].removeprefix(b"\n")
        return cls(path, headers, json.loads(line), items)


async def taken(_: web.Request) -> web.StreamResponse:
    return web.json_response({"id": "1"})


@dataclass
class Sentry:
    """`answer` is what the next requests get; `envelopes` is what came, whatever was answered."""

    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = taken
    envelopes: list[Envelope] = field(default_factory=list)
    dsn: str = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for envelope in self.envelopes for head, event in envelope.items if head["type"] == "event"]

    def refuse(self, status: int, **headers: str) -> None:
        async def refusal(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={name.replace("_", "-"): it for name, it in headers.items()})

        self.answer = refusal

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.envelopes.append(Envelope.read(request.path, dict(request.headers), await request.read()))
        return await self.answer(request)


@asynccontextmanager
async def sentry() -> AsyncIterator[Sentry]:
    it = Sentry()
    async with http_server(it.take) as port:
        it.dsn = f"http://public-key@127.0.0.1:{port}/42"
        yield it
