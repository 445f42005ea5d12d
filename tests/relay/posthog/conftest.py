"""Fixtures of PostHog's proxy: its two hosts, and a proxy that leads there."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from exporter.clock import Clock, SystemClock
from exporter.limits import LimitsOptions
from exporter.relay.posthog import PosthogOptions
from tests.support.relay import Relaying, Vendor, relaying, vendor


@pytest.fixture
async def assets() -> AsyncIterator[Vendor]:
    """The host of scripts; `upstream` is that of events."""
    async with vendor() as it:
        yield it


@pytest.fixture
def posthog(upstream: Vendor, assets: Vendor) -> Callable[..., AbstractAsyncContextManager[Relaying]]:
    """Serves the section `posthog`, which leads to `upstream` and `assets`: `async with posthog() as it`."""

    def start(
        *, clock: Clock | None = None, limits: LimitsOptions | None = None, **options: object
    ) -> AbstractAsyncContextManager[Relaying]:
        data = {"api": f"http://127.0.0.1:{upstream.port}", "assets": f"http://127.0.0.1:{assets.port}", **options}
        return relaying(PosthogOptions, data, clock or SystemClock(), limits or LimitsOptions())

    return start
