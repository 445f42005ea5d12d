"""Program: asks for a URL over kept-alive connections, and prints how long the answers took, as JSON."""

import argparse
import asyncio
import json
import time
from urllib.parse import urlsplit

ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
"""What Prometheus 2.42 accepts."""


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
            if not head.startswith(b"HTTP/1.1 200"):
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


async def load(url: str, connections: int, seconds: float, rate: float) -> dict[str, float]:
    """Asks for that long: at `rate` requests a second over all connections, or as fast as answers come (rate 0)."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    fields = f"Host: {parts.netloc}\r\nAccept: {ACCEPT}\r\nAccept-Encoding: gzip\r\n"
    request = f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode()
    times: list[float] = []
    begin = time.perf_counter()

    async def one(place: int) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, parts.hostname or "", parts.port or 80)
        step = connections / rate if rate else 0.0
        due = begin + step * place / connections
        try:
            while due < begin + seconds and time.perf_counter() < begin + seconds:
                if rate:
                    await asyncio.sleep(due - time.perf_counter())
                    due += step
                times.append(await connection.ask(request))
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
    print(json.dumps(asyncio.run(load(**vars(parser.parse_args())))))


if __name__ == "__main__":
    main()
