"""Program: asks for a URL or posts to it over kept-alive connections; prints how long the answers took, as JSON."""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path
from urllib.parse import urlsplit

ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
"""What Prometheus 2.42 accepts."""

NUMBER = b"{number}"
"""What stands in a body where every request has another number, of 19 digits, that no earlier run has had."""


class Connection(asyncio.Protocol):
    """One connection: a request, and the wait for all bytes of its answer. It keeps none of them."""

    def __init__(self) -> None:
        self._head = b""
        self._missing = 0
        self._answered: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to ask."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fails the request under way."""
        if self._answered and not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("closed without an answer"))

    def data_received(self, data: bytes) -> None:
        """Counts down to the answer's end."""
        assert self._answered
        if not self._missing:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._head = b""
            if not head.startswith(b"HTTP/1.1 2"):
                self._answered.set_exception(ConnectionError(head.decode()))
                return
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            self._missing, data = int(fields[b"content-length"]), body
        self._missing -= len(data)
        if not self._missing:
            self._answered.set_result(None)

    async def ask(self, request: bytes) -> float:
        """Seconds from the request to the last byte of its answer."""
        self._answered = asyncio.get_running_loop().create_future()
        begin = time.perf_counter()
        self.transport.write(request)
        await self._answered
        return time.perf_counter() - begin


def requests(url: str, body: bytes | None = None, kind: str = "") -> Iterator[bytes]:
    """Requests without an end: GET, or POST where there is a body, whose Content-Type is `kind`."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if body is None:
        fields = f"Host: {parts.netloc}\r\nAccept: {ACCEPT}\r\nAccept-Encoding: gzip\r\n"
        return repeat(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
    first = time.time_ns()
    length = len(body.replace(NUMBER, str(first).encode()))
    fields = f"Host: {parts.netloc}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    request = f"POST {path} HTTP/1.1\r\n{fields}\r\n".encode() + body
    if NUMBER not in body:
        return repeat(request)
    return (request.replace(NUMBER, str(number).encode()) for number in count(first))


async def load(
    url: str, connections: int, seconds: float, rate: float, wanted: Iterator[bytes] | None = None
) -> dict[str, float]:
    """Asks for that long: at `rate` requests a second over all connections, or as fast as answers come (rate 0).

    What is `wanted` are the requests, each for this URL: to GET it unless told otherwise.

    With a rate, a request that has to wait for the answer to the one before is late, and its time counts from when it
    was due: who is slow cannot make the load gentler.
    """
    parts = urlsplit(url)
    wanted = wanted or requests(url)
    times: list[float] = []
    begin = time.perf_counter()

    async def one(place: int) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, parts.hostname or "", parts.port or 80)
        step = connections / rate if rate else 0.0
        due = begin + step * place / connections
        try:
            while due < begin + seconds and time.perf_counter() < begin + seconds:
                late = 0.0
                if rate:
                    late = max(0.0, time.perf_counter() - due)
                    await asyncio.sleep(due - time.perf_counter())
                    due += step
                times.append(late + await connection.ask(next(wanted)))
        finally:
            connection.transport.close()

    await asyncio.gather(*map(one, range(connections)))
    took = time.perf_counter() - begin
    times.sort()
    return {
        "count": len(times),
        "seconds": took,
        "median": times[len(times) // 2],
        "p99": times[int(len(times) * 0.99)],
        "longest": times[-1],
    }


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--body", type=Path)
    parser.add_argument("--kind", default="text/plain", help="the body's Content-Type")
    chosen = parser.parse_args()
    wanted = requests(chosen.url, chosen.body and chosen.body.read_bytes(), chosen.kind)
    print(json.dumps(asyncio.run(load(chosen.url, chosen.connections, chosen.seconds, chosen.rate, wanted))))


if __name__ == "__main__":
    main()
