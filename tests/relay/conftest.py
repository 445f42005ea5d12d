"""Fixtures of the relays: the vendor, and a relay that leads there."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from exporter.clock import Clock, SystemClock
from exporter.limits import LimitsOptions
from exporter.relay.sentry import SentryOptions
from tests.support.relay import KEY, Relaying, Vendor, relaying, vendor


@pytest.fixture
async def upstream() -> AsyncIterator[Vendor]:
    """Sentry's stand-in."""
    async with vendor() as it:
        yield it


@pytest.fixture
def sentry(upstream: Vendor) -> Callable[..., AbstractAsyncContextManager[Relaying]]:
    """Serves the section `sentry` with the project `api`, which leads to `upstream`: `async with sentry() as it`."""

    def start(
        *, clock: Clock | None = None, limits: LimitsOptions | None = None, dsn: str = "", forward: bool = True,
        **options: object,
    ) -> AbstractAsyncContextManager[Relaying]:  # fmt: skip
        data = {"projects": {"api": {"dsn": {"env": "DSN"}, "forward": forward}}, **options}
        there = dsn or f"http://{KEY}@127.0.0.1:{upstream.port}/42"
        return relaying(SentryOptions, data, clock or SystemClock(), limits or LimitsOptions(), DSN=there)

    return start
