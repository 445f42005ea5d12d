"""A Prometheus that remembers thirty days."""

import asyncio
import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

from exporter.alerts.webhook import SEVERITIES, STATUSES
from exporter.business.shipped import SHIPPED
from exporter.demo import catalogue, rhythm
from exporter.errors import REASONS
from exporter.ingest.beacon.measures import MOST
from exporter.limits.rejected import REASONS_OF_NONE, REJECT_REASONS
from exporter.metrics.catalogue import CATALOGUE
from exporter.relay.posthog import upstream as posthog
from exporter.relay.posthog.counts import OWN
from exporter.relay.sentry import upstream as sentry
from exporter.relay.sentry.counts import LEVELS
from grafana.past.book import ENVIRONMENT
from grafana.past.filling import fill
from grafana.past.probes import probes
from grafana.past.routing import FILE
from grafana.past.rules import FOLDER
from grafana.past.server import Programs, serving
from grafana.past.story import Story

END = 1795188600.0
"""2026-11-20T15:30:00Z, a Friday afternoon."""
EXTERNAL = {
    "environment": ENVIRONMENT,
    "dashboards": "http://localhost:3001",
    "runbooks": "http://localhost:9877/runbooks",
}
"""The external labels, as in prometheus.yml."""


@asynccontextmanager
async def prometheus(
    end: float = END, *, programs: Programs | None = None, cache: Path | None = None, port: int = 0
) -> AsyncIterator[str]:
    """Gives the address of one that is filled up to `end`; with `cache`, a folder, a second time takes no time.

    It has the shipped rules, which it evaluates at the clock's time, and scrapes nothing.
    """
    programs = programs or Programs.found()
    with tempfile.TemporaryDirectory(prefix="chatterfy-past-") as name:
        data = Path(name) / "data"
        if cache is None:
            await fill(data, end, programs)
        else:
            await copy(cache, data, end, programs)
        async with serving(programs.prometheus, data, rules=FOLDER, port=port, labels=EXTERNAL) as server:
            yield server.url


async def copy(cache: Path, data: Path, end: float, programs: Programs) -> None:
    """Copies what the cache has for this end, which is filled first where it is not there; one process at a time."""
    kept = cache / f"past-{_fingerprint(end)}"
    async with _alone(cache):
        if kept.name not in [old.name for old in _old(cache)]:
            with tempfile.TemporaryDirectory(prefix="filling-", dir=cache) as name:
                await fill(Path(name) / "data", end, programs)
                _replace(cache, Path(name) / "data", kept)
        await asyncio.to_thread(shutil.copytree, kept, data)


@asynccontextmanager
async def _alone(cache: Path) -> AsyncIterator[None]:
    file = await asyncio.to_thread(_locked, cache)
    try:
        yield
    finally:
        file.close()


def _locked(cache: Path) -> TextIO:
    cache.mkdir(parents=True, exist_ok=True)
    file = (cache / "lock").open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _old(cache: Path) -> list[Path]:
    return list(cache.glob("past-*"))


def _replace(cache: Path, filled: Path, kept: Path) -> None:
    """What was made from other sources goes."""
    for old in _old(cache):
        shutil.rmtree(old)
    filled.rename(kept)


def _fingerprint(end: float) -> str:
    """Of everything that the data are made from."""
    story = Story.until(end)
    facts: list[object] = [
        story,
        [(metric.name, metric.kind, metric.labels, metric.buckets) for metric in CATALOGUE.values()],
        [(query.name, query.header.model_dump_json()) for query in SHIPPED],
        [(probe.name, probe.kind, probe.critical) for probe in probes(story)],
        (REASONS, STATUSES, SEVERITIES),
        (REJECT_REASONS, REASONS_OF_NONE, MOST, OWN, LEVELS, posthog.REASONS, sentry.REASONS),
    ]
    digest = hashlib.sha256(repr(facts).encode())
    code = [*Path(__file__).parent.glob("*.py"), Path(str(catalogue.__file__)), Path(str(rhythm.__file__))]
    for path in sorted([*code, *FOLDER.glob("*.yml"), FILE]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
