"""A page of metrics, as far as single values are concerned."""

import re

from exporter.doctor.server import Server
from exporter.errors import ExporterError


async def value(server: Server, name: str) -> float | None:
    """The value of a metric without labels on the server's page, or None where it is not there."""
    text = (await server.get("/metrics")).body.decode("utf-8", "replace")
    found = re.search(rf"^{name} (\S+)", text, re.MULTILINE)
    if found is None:
        return None
    try:
        return float(found[1])
    except ValueError:
        raise server.strange("/metrics") from None


async def switch(server: Server, name: str) -> bool:
    """Whether a metric that has to be there is not 0."""
    found = await value(server, name)
    if found is None:
        raise ExporterError(f"{server.url}/metrics: there is no {name}: is this {server.name}?")
    return found != 0
