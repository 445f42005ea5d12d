"""Fixtures of the beacon's tests: its section on a listener, and what it is told."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from exporter.clock import SystemClock
from exporter.ingest.beacon import BeaconSection
from exporter.limits import LimitsOptions
from tests.support.relay import Relaying, relaying

ORIGIN = "https://app.example.com"
"""The origin of the app in these tests."""


@pytest.fixture
def beacon() -> Callable[..., AbstractAsyncContextManager[Relaying]]:
    """Serves the section `beacon` for the app's origin: `async with beacon(pages=["/"]) as it`."""

    def start(**options: object) -> AbstractAsyncContextManager[Relaying]:
        return relaying(BeaconSection, {"origins": [ORIGIN], **options}, SystemClock(), LimitsOptions())

    return start
