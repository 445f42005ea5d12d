"""TCP: can a connection be opened?"""

from typing import Literal

from exporter.config.fields import Port
from exporter.probes.base import Probe, Run, probe


@probe
class TcpProbe(Probe):
    """Opens a connection to `host:port` and closes it."""

    kind: Literal["tcp"]
    host: str
    """A host name or an IP address."""
    port: Port
    """The port to connect to."""

    async def check(self, run: Run) -> None:
        """Fails with `dns` or `connect`."""
        sock = await run.tools.dialer.connect(self.host, self.port, run.phase)
        sock.close()
