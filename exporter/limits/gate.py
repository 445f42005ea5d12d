"""How much may come: a rate for each client and for all, so many at once, and bodies that end."""

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from exporter.clock import Clock
from exporter.limits import inflate
from exporter.limits.clients import client_of
from exporter.limits.options import LimitsOptions
from exporter.limits.rejected import Rejected

REMEMBERED = 10_000
"""Clients whose rate is remembered; of more than these, those that were quiet longest begin anew."""
CHARGED = 16 * 1024
"""Bytes of a body, inflated, that count as one request more: what is small to send may be dear to read."""
SHARES = 4
"""A client may have one in four of the places, and of the memory: a slow one does not keep everyone else out."""


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


@dataclass
class _Share:
    """What of a kind is under way: requests, and the bytes of their bodies."""

    requests: int = 0
    size: int = 0


class Place:
    """A request's place among those that are under way, until the `with` that it stands in ends."""

    def __init__(self, gate: "Gate", client: str, share: _Share) -> None:
        self._gate = gate
        self.client = client
        self.share = share
        self.size = 0

    def hold(self, size: int) -> None:
        """Claims that many bytes more until the request ends; raises Rejected where too many are held."""
        self._gate.claim(self.share, size)
        self.size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gate.leave(self)


class Gate:
    """One for the whole listener; belongs to the event loop."""

    def __init__(self, options: LimitsOptions, clock: Clock) -> None:
        self.options = options
        self._clock = clock
        one = options.body + options.inflated  # which a single request may always have
        self._most = _Share(options.at_once, max(options.memory, one))
        self._most_of_one = _Share(max(1, options.at_once // SHARES), max(options.memory // SHARES, one))
        self._total = _Share()
        self._shares: dict[str, _Share] = {}
        self._burst = max(1.0, options.total_rate)
        self._all = _Bucket(self._burst, clock.monotonic())
        self._clients: OrderedDict[str, _Bucket] = OrderedDict()
        self._empty = asyncio.Event()

    def pace(self, request: web.Request) -> str:
        """Takes a request's turn; returns whose it is. Raises Rejected where they come too fast."""
        now, options = self._clock.monotonic(), self.options
        client = client_of(request, options.proxies)
        wait = self._bucket(client, now).take(now, options.rate, options.burst)
        if wait:
            told = f"more than {options.rate:g} requests a second from one client"
            raise Rejected(429, "rate", told, math.ceil(wait))
        if self._all.take(now, options.total_rate, self._burst):
            raise Rejected(429, "rate", f"more than {options.total_rate:g} requests a second", 1)
        return client

    def passage(self, request: web.Request) -> Place:
        """A place among those that are under way; raises Rejected where there is none, or they come too fast."""
        client = self.pace(request)
        share = self._shares.get(client) or _Share()
        if share.requests >= self._most_of_one.requests:
            raise Rejected(503, "busy", f"{share.requests} requests of one client are under way already", 1)
        if self._total.requests >= self._most.requests:
            raise Rejected(503, "busy", f"{self._total.requests} requests are under way already", 1)
        self._shares[client] = share
        self._total.requests += 1
        share.requests += 1
        return Place(self, client, share)

    def leave(self, place: Place) -> None:
        """Gives back the place, and what it holds."""
        for share in (self._total, place.share):
            share.requests -= 1
            share.size -= place.size
        if not place.share.requests:
            del self._shares[place.client]
        if not self._total.requests:
            self._empty.set()

    def claim(self, share: _Share, size: int) -> None:
        """Counts bytes that are held for a share's client; raises Rejected where there are too many."""
        if share.size + size > self._most_of_one.size or self._total.size + size > self._most.size:
            raise Rejected(503, "busy", "too many bytes are under way already", 1)
        share.size += size
        self._total.size += size

    async def body(self, request: web.Request, place: Place) -> bytes:
        """The body as it came; raises Rejected where it is too long, or does not come in time, or not whole."""
        if (request.content_length or 0) > self.options.body:
            raise self._too_long()
        try:
            if request.content.is_eof():  # as it mostly is: the body has come with the headers
                body = request.content.read_nowait()
                self._hold(place, len(body))
                return body
            return await self._arriving(request, place)
        except TimeoutError:
            raise Rejected(408, "slow", f"the body did not come within {self.options.time:g} s") from None
        except (web.RequestPayloadError, ConnectionError):
            raise Rejected(400, "body", "the body is malformed, or has ended early") from None

    def inflated(self, body: bytes, encoding: str, place: Place) -> bytes:
        """The body without its compression, which magic bytes tell where the header does not; raises Rejected.

        Its size is paid for: see CHARGED. Requests that came together do not get round that, since each is asked again.
        """
        bucket = self._clients.get(place.client)
        if bucket and bucket.tokens < 0:
            told = f"more than {self.options.rate * CHARGED:g} bytes a second from one client"
            raise Rejected(429, "rate", told, math.ceil((1 - bucket.tokens) / self.options.rate))
        inflated = inflate.inflated(body, encoding, self.options.inflated)
        if inflated is not body:
            place.hold(len(inflated))
        for paying in filter(None, (bucket, self._all)):
            paying.tokens -= len(inflated) // CHARGED
        return inflated

    async def empty(self) -> None:
        """Returns when no request is under way."""
        while self._total.requests:
            self._empty.clear()
            await self._empty.wait()

    async def _arriving(self, request: web.Request, place: Place) -> bytes:
        body = bytearray()
        async with self._clock.timeout(self.options.time):
            async for chunk in request.content.iter_any():
                self._hold(place, len(chunk))
                body += chunk
        return bytes(body)

    def _hold(self, place: Place, size: int) -> None:
        if place.size + size > self.options.body:
            raise self._too_long()
        place.hold(size)

    def _too_long(self) -> Rejected:
        return Rejected(413, "size", f"the body is longer than {self.options.body} bytes")

    def _bucket(self, client: str, now: float) -> _Bucket:
        bucket = self._clients.pop(client, None) or _Bucket(self.options.burst, now)
        self._clients[client] = bucket
        if len(self._clients) > REMEMBERED:
            self._clients.popitem(last=False)
        return bucket
