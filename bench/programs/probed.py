"""Program: the small HTTP server that all probes of a comparison ask; every path answers 200 with a short body."""

import asyncio
import json

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n" + b'{"status":"healthy"}'


class Answer(asyncio.Protocol):
    """Answers each request; cheaper than an HTTP library, so that the probed side leaves its core to the load."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A request without a body ends with an empty line."""
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(ANSWER)


async def main() -> None:
    """Prints the URL and serves."""
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
