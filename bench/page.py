"""The exporter's page, as the measurements read it."""

import re
import time
import urllib.request
from contextlib import suppress

_LAST_RUN = re.compile(r'^chatterfy_probe_last_run_timestamp_seconds\{.*probe="([^"]+)"\} (\S+)$', re.MULTILINE)
_RUNS = re.compile(r'^chatterfy_probe_runs_total\{.*probe="([^"]+)"\} (\S+)$', re.MULTILINE)
_TASK_RUNS = re.compile(r'^chatterfy_job_runs_total\{task="([^"]+)"\} (\S+)$', re.MULTILINE)
_FAILURES = re.compile(r"^chatterfy_probe_failures_total\{.*\} (\S+)$", re.MULTILINE)


def fetch(url: str) -> str:
    """The page as plain text."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def wait_for(url: str, wanted: str, within: float = 20.0) -> str:
    """The first page that contains what is wanted; raises TimeoutError when none does in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        with suppress(OSError):
            if wanted in (text := fetch(url)):
                return text
        time.sleep(0.02)
    raise TimeoutError(f"{url}: no page with {wanted!r} within {within:g} s")


def last_runs(page: str) -> dict[str, float]:
    """When each probe's last run began."""
    return {name: float(value) for name, value in _LAST_RUN.findall(page)}


def runs(page: str) -> dict[str, float]:
    """How often each probe has run."""
    return {name: float(value) for name, value in _RUNS.findall(page)}


def failures(page: str) -> float:
    """How many runs have failed."""
    return sum(map(float, _FAILURES.findall(page)))


def series(page: str) -> int:
    """The number of series on the page."""
    return sum(1 for line in page.splitlines() if not line.startswith("#"))


def total(page: str, metric: str) -> float:
    """The sum of a metric's series."""
    return sum(map(float, re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", page, re.MULTILINE)))


def task_runs(page: str) -> dict[str, float]:
    """How often each query or other piece of the exporter's own work has run."""
    return {name: float(value) for name, value in _TASK_RUNS.findall(page)}
