"""TLS: is the certificate good, and for how long?"""

import asyncio
import ssl
from functools import cached_property
from typing import Literal, cast

from exporter.config.fields import CaFile, Port
from exporter.probes.base import Probe, Run, probe
from exporter.probes.certificate import note_certificate
from exporter.tools import tls_context
from exporter.tools.dial import open_tls


class _Shown(asyncio.Protocol):
    """Keeps the transport, on which the certificate is to be seen."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        self.transport = cast("asyncio.Transport", transport)


@probe
class TlsProbe(Probe):
    """Shakes hands with `host:port` and verifies the certificate: its signers, its name, its dates."""

    kind: Literal["tls"]
    host: str
    """A host name or an IP address."""
    port: Port = 443
    """The port to connect to."""
    server_name: str | None = None
    """The name that the certificate must carry, where it is not `host`."""
    ca_file: CaFile | None = None
    """Certificates to trust instead of the system's, in PEM."""

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return tls_context(self.ca_file)

    async def check(self, run: Run) -> None:
        """Fails with `dns`, `connect` or `tls`."""
        sock = await run.tools.dialer.connect(self.host, self.port, run.phase)
        protocol = await open_tls(_Shown, sock, self._tls, self.server_name or self.host, run.phase)
        note_certificate(run, protocol.transport)
        protocol.transport.abort()
