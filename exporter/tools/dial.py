"""Opening a connection in phases: dns, connect, tls; each failure with its own reason."""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TypeVar

import aiodns
import aiohappyeyeballs
import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import BaseConnector

from exporter.errors import Failed

Phase = Callable[[str], AbstractContextManager[None]]
"""Times a named part of a run: `with phase("connect"): ...`."""

LOOKUP_TIMEOUT = 1.0
"""Seconds for the first try, twice that for the second: a dead name server shows before a run's time is over."""

Shake = Callable[[asyncio.BaseTransport | None], None]
"""Is shown each transport after its TLS handshake."""

AnyProtocol = TypeVar("AnyProtocol", bound=asyncio.Protocol)
AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


class Dialer:
    """Resolves without threads (a dead name server must not use up a pool), connects, and shakes hands."""

    async def resolve(self, host: str, port: int, phase: Phase, family: int = 0) -> list[AddressInfo]:
        """Addresses of a host in the system's order of preference; an address itself needs no phase.

        Each look-up is fresh: a shared resolver would answer from its cache while the name server is dead.
        """
        with suppress(ValueError):
            version = ipaddress.ip_address(host).version
            return [_info(socket.AF_INET if version == 4 else socket.AF_INET6, host, port)]
        with phase("dns"):
            async with aiodns.DNSResolver(timeout=LOOKUP_TIMEOUT, tries=2) as resolver:
                try:
                    found = await resolver.getaddrinfo(
                        host, socket.AddressFamily(family), port, type=socket.SOCK_STREAM
                    )
                except aiodns.error.DNSError as error:
                    raise Failed("dns", f"{host}: {error.args[1]}") from error
        return [_info(node.family, node.addr[0].decode(), port) for node in found.nodes]

    async def connect(self, host: str, port: int, phase: Phase, family: int = 0) -> socket.socket:
        """A connected socket to the first address that answers (RFC 8305 where there are several)."""
        addresses = await self.resolve(host, port, phase, family)
        with phase("connect"):
            try:
                return await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=0.25)
            except OSError as error:
                raise Failed("connect", f"{host}:{port}: {reason_of(error)}") from error


def reason_of(error: OSError) -> str:
    """What the system says of an error; asyncio's own texts repeat the address instead."""
    if error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or type(error).__name__


async def open_tls(
    protocol: Callable[[], AnyProtocol], sock: socket.socket, tls: ssl.SSLContext, name: str, phase: Phase
) -> AnyProtocol:
    """Shakes hands over a connected socket; `name` is the host name that the certificate must carry."""
    loop = asyncio.get_running_loop()
    with phase("tls"):
        try:
            return (await loop.create_connection(protocol, sock=sock, ssl=tls, server_hostname=name))[1]
        except ssl.SSLCertVerificationError as error:
            raise Failed("tls", f"{name}: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise Failed("tls", f"{name}: {error.reason or 'the handshake failed'}") from error
        except OSError as error:
            raise Failed("tls", f"{name}: {reason_of(error)} during the handshake") from error


class PhasedConnector(BaseConnector):
    """aiohttp's connections, opened through a Dialer, so that the phases can be told apart.

    Each request has a connection of its own, unless told to `keep` them: for so many seconds after an answer.
    Like aiohttp's own UnixConnector it implements `_create_connection`, the one method that BaseConnector asks for.
    """

    def __init__(  # noqa: PLR0913  (what a connection is opened with)
        self, dialer: Dialer, phase: Phase, tls: ssl.SSLContext, family: int, shake: Shake, *, keep: float = 0
    ) -> None:
        if keep:
            super().__init__(keepalive_timeout=keep)
        else:
            super().__init__(force_close=True)
        self._dialer = dialer
        self._phase = phase
        self._tls = tls
        self._family = family
        self._shake = shake

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: object,  # noqa: ARG002  (aiohttp's signature)
        timeout: object,  # noqa: ARG002, ASYNC109  (aiohttp's signature; the run keeps the time)
    ) -> ResponseHandler:
        host, port = req.url.host or "", req.url.port or 0
        sock = await self._dialer.connect(host, port, self._phase, self._family)
        if req.is_ssl():
            protocol = await open_tls(self._factory, sock, self._tls, host, self._phase)
            self._shake(protocol.transport)
            return protocol
        return (await asyncio.get_running_loop().create_connection(self._factory, sock=sock))[1]


def _info(family: int, host: str, port: int) -> AddressInfo:
    where = (host, port, 0, 0) if family == socket.AF_INET6 else (host, port)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where
