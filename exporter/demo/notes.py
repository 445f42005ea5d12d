"""What the toy app notes of its users' actions: business events, and lines of its request log."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from asyncpg.pool import PoolConnectionProxy

Item = Mapping[str, Any]
"""An event or a line, as POST /v1/events and POST /v1/metrics take them; its `id` is the row's."""


@dataclass(frozen=True)
class Notes:
    """All that one action leaves behind beside its own rows."""

    events: list[Item] = field(default_factory=list)
    requests: list[Item] = field(default_factory=list)

    def event(self, name: str, **data: str | int) -> None:
        """Notes a business event."""
        self.events.append({"id": new_id(), "event": name, "data": data})

    def request(self, endpoint: str, method: str, duration: float, status: int) -> None:
        """Notes a request that was answered; the duration is in milliseconds."""
        line = {"endpoint": endpoint, "method": method, "duration": duration, "status": status}
        self.requests.append({"id": new_id(), "type": "api_request", **line})


async def store(connection: PoolConnectionProxy, notes: Notes) -> None:
    """Writes them into their tables, as an app does that has no exporter to post them to."""
    for event in notes.events:
        await connection.execute(
            'INSERT INTO "BusinessEvent" (id, "eventType", data) VALUES ($1, $2, $3)',
            event["id"],
            event["event"],
            json.dumps(event["data"], separators=(",", ":")),
        )
    for line in notes.requests:
        await connection.execute(
            """
            INSERT INTO "Metric" (id, type, endpoint, method, duration, status, timestamp)
            VALUES ($1, 'api_request', $2, $3, $4, $5, CURRENT_TIMESTAMP)
            """,
            line["id"],
            line["endpoint"],
            line["method"],
            line["duration"],
            line["status"],
        )


def new_id() -> str:
    """An id that looks like Prisma's."""
    return f"c{token_hex(12)}"
