"""The way to those who are told of deploys: one request at a time, within what is left of the time."""

import re
from dataclasses import dataclass
from typing import ClassVar, Protocol

import aiohttp

from exporter.clock import Clock
from exporter.config.secret import Secret
from exporter.errors import Failed, Reason
from exporter.ingest.deploys.deploy import Deploy
from exporter.tools.http import http_failures

_REASONS: dict[int, Reason] = {401: "auth", 403: "auth"}


@dataclass(frozen=True)
class Way:
    """`until` is when the time is over, on the monotonic clock."""

    session: aiohttp.ClientSession
    clock: Clock
    until: float

    async def post(self, name: str, url: str, body: object, token: Secret | None = None) -> None:
        """Posts JSON; raises Failed. Who is busy (429) is asked again when it says, if there is time until then.

        Redirects are not followed: the token is not for others.
        """
        headers = {"Authorization": f"Bearer {token.reveal()}"} if token else {}
        while True:
            with http_failures():
                async with self.session.post(url, json=body, headers=headers, allow_redirects=False) as response:
                    status, pause = response.status, _pause(response.headers.get("Retry-After", ""))
            if 200 <= status <= 299:
                return
            if status != 429:
                raise Failed(_REASONS.get(status, "status"), f"{name}'s status is {status}")
            if self.clock.monotonic() + pause >= self.until:
                raise Failed("quota", f"{name} is busy, and wants to be asked again in {pause} s")
            await self.clock.sleep(pause)


class Receiver(Protocol):
    """Somebody who is told of deploys."""

    OF_FAILURES: ClassVar[bool]
    """Whether it is told of those that failed, too."""

    async def tell(self, deploy: Deploy, way: Way) -> None:
        """Hands the deploy over; raises Failed."""


def _pause(retry_after: str) -> int:
    return max(1, int(retry_after)) if re.fullmatch("[0-9]{1,9}", retry_after) else 1
