"""The limits of the ingest listener, as a configuration has them."""

from pydantic import Field

from exporter.config.fields import Duration, Size
from exporter.config.model import Options


class LimitsOptions(Options):
    """Bounds for everything that comes to the ingest listener."""

    body: Size = 1024 * 1024
    """Bytes of a body as it comes, compressed or not."""
    inflated: Size = 4 * 1024 * 1024
    """Bytes of a body once it is inflated."""
    rate: float = Field(50, gt=0)
    """Requests a second of one client, on average; a body counts as one more for each 16 KiB of it, once inflated."""
    burst: int = Field(200, ge=1)
    """Requests that one client may send at once, after a pause."""
    total_rate: float = Field(2000, gt=0)
    """Requests a second of all clients together; as many may come at once."""
    at_once: int = Field(1024, ge=1)
    """Requests that may be under way at the same moment; a quarter of them may be one client's."""
    memory: Size = 64 * 1024 * 1024
    """Bytes of bodies, as they came and inflated, that may be held at the same moment; a quarter for one client."""
    connections: int = Field(2048, ge=1)
    """Connections that may be open at the same moment; half of what the system lets the process open at most. A
    quarter may come from one address, unless there are `proxies`."""
    time: Duration = 10.0
    """What a client may take to send a request, its headers and its body each, and to read on in its answer."""
    proxies: int = Field(0, ge=0, le=8)
    """How many proxies stand in front: with 1 the last address in X-Forwarded-For is the client's, with 2 the last but
    one; with 0 the header is not believed."""
