"""Sockets to listen on, had before anything is served on them: a listener can follow another without a gap."""

import asyncio
import socket
from collections.abc import Iterable

from exporter.errors import ExporterError
from exporter.tools.dial import reason_of


async def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets at this address, one for each address of a host that has several; raises ExporterError."""
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
    except OSError as error:
        raise ExporterError(f"ingest.listen: {host}:{port} cannot be had: {reason_of(error)}") from error
    bound = [sock.dup() for sock in server.sockets]
    server.close()
    return bound


def url_of(bound: Iterable[socket.socket]) -> str:
    """Where one reaches them."""
    host, port = next(iter(bound)).getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def release(bound: Iterable[socket.socket]) -> None:
    """Gives the address back."""
    for sock in bound:
        sock.close()
