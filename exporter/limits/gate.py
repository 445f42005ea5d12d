"""How much may come: a rate for each client and for all, so many at once, and bodies that end."""

import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from aiohttp import web

from exporter.clock import Clock
from exporter.limits.options import LimitsOptions
from exporter.limits.rejected import Rejected

REMEMBERED = 10_000
"""Clients whose rate is remembered; of more than these, those that were quiet longest begin anew."""
GZIP = b"\x1f\x8b"


@dataclass
class _Bucket:
    tokens: float
    at: float

    def take(self, now: float, rate: float, burst: float) -> float:
        """Takes one; returns how many seconds it takes until there is one, 0 when there was."""
        self.tokens = min(burst, self.tokens + (now - self.at) * rate)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / rate
        self.tokens -= 1
        return 0.0


class Gate:
    """One for the whole listener; belongs to the event loop."""

    def __init__(self, options: LimitsOptions, clock: Clock) -> None:
        self.options = options
        self._clock = clock
        self._under_way = 0
        now = clock.monotonic()
        self._all = _Bucket(options.total_rate, now)
        self._clients: OrderedDict[str, _Bucket] = OrderedDict()

    @asynccontextmanager
    async def passage(self, request: web.Request) -> AsyncIterator[None]:
        """A place among those that are under way; raises Rejected where there is none, or they come too fast."""
        if self._under_way >= self.options.at_once:
            raise Rejected(503, "busy", f"{self.options.at_once} requests are under way already", 1)
        now = self._clock.monotonic()
        client = self._client(client_of(request, self.options.proxies), now)
        wait = client.take(now, self.options.rate, self.options.burst)
        if wait:
            told = f"more than {self.options.rate:g} requests a second from one client"
            raise Rejected(429, "rate", told, max(1, round(wait)))
        if self._all.take(now, self.options.total_rate, self.options.total_rate):
            raise Rejected(429, "rate", f"more than {self.options.total_rate:g} requests a second", 1)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def body(self, request: web.Request) -> bytes:
        """The body as it came; raises Rejected where it is too long, or does not come in time."""
        limit = self.options.body
        if (request.content_length or 0) > limit:
            raise Rejected(413, "size", f"the body is longer than {limit} bytes")
        body = bytearray()
        try:
            async with self._clock.timeout(self.options.time):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > limit:
                        raise Rejected(413, "size", f"the body is longer than {limit} bytes")
        except TimeoutError:
            raise Rejected(408, "slow", f"the body did not come within {self.options.time:g} s") from None
        return bytes(body)

    def inflated(self, body: bytes, encoding: str) -> bytes:
        """The body without its compression, which magic bytes tell where the header does not; raises Rejected."""
        if encoding not in ("", "identity", "gzip", "deflate"):
            raise Rejected(415, "body", "expected no Content-Encoding, gzip or deflate")
        if body[:2] == GZIP:
            return _inflate(body, 31, self.options.inflated)
        if encoding == "deflate":
            return _inflate(body, 15, self.options.inflated)
        if encoding == "gzip":
            raise Rejected(400, "body", "the body is not gzip, as its Content-Encoding says")
        return body

    def _client(self, name: str, now: float) -> _Bucket:
        bucket = self._clients.pop(name, None) or _Bucket(self.options.burst, now)
        self._clients[name] = bucket
        if len(self._clients) > REMEMBERED:
            self._clients.popitem(last=False)
        return bucket


def client_of(request: web.Request, proxies: int) -> str:
    """The client's address; of IPv6 the /64, which one client has all of."""
    address = request.remote or ""
    if proxies:
        hops = [hop.strip() for hop in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
        address = hops[-proxies] if len(hops) >= proxies else address
    try:
        parsed = ip_address(address)
    except ValueError:
        return request.remote or ""
    return parsed.exploded[:19] if isinstance(parsed, IPv6Address) and not parsed.ipv4_mapped else str(parsed)


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    machine = zlib.decompressobj(window)
    try:
        out = machine.decompress(body, limit + 1)
    except zlib.error:
        raise Rejected(400, "body", "the body's compression is broken") from None
    if len(out) > limit:
        raise Rejected(413, "size", f"the inflated body is longer than {limit} bytes")
    if not machine.eof:
        raise Rejected(400, "body", "the body's compression ends early")
    return out
