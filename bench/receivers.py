"""What takes events over HTTP: the exporter that makes them safe, and two that keep them in memory alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench import page
from bench.child import LOAD, MEASURED, ROOT, Child, free_port, python
from bench.database import Server
from bench.peers import TOOLS, pushgateway

CAPTURED = ROOT / "tests/data/clients/sentry-node-11.jsonl"
"""What Sentry's SDK for Node sent."""
KEY = "pubkey1234567890abcdef1234567890"
DSN = f"https://{KEY}@sentry.test/42"
"""That of the project in these requests, at a host that nothing is sent to."""

_FAST = {"rate": 1e6, "burst": 10**6, "total_rate": 1e6}
"""One sender may send as fast as it can: what is measured is the way of a request, not the brake in it."""


@dataclass(frozen=True)
class Sending:
    """What is sent again and again: a body, its Content-Type, and how many events it has."""

    body: Path
    kind: str
    events: int = 1


@dataclass(frozen=True)
class Found:
    """What one run gave: CPU seconds of the receiver for an event, and seconds until its answer was there."""

    cpu: float
    median: float
    p99: float


@dataclass(frozen=True)
class Receiver:
    """A program under way that answers posts at `url`; `metrics` is its page, where it has one."""

    child: Child
    url: str
    metrics: str = ""

    def take(self, sending: Sending, path: str, connections: int, seconds: float) -> Found:
        """Sends for that long, as fast as answers come."""
        used = self.child.cpu()
        with self.sender(sending, path, connections, seconds) as sender:
            found = sender.facts()
        used = self.child.cpu() - used
        return Found(used / (found["count"] * sending.events), found["median"], found["p99"])

    def sender(self, sending: Sending, path: str, connections: int, seconds: float, rate: float = 0.0) -> Child:
        """What sends, and prints how it went."""
        arguments = ("--connections", connections, "--seconds", seconds, "--rate", rate)
        body = ("--body", sending.body, "--kind", sending.kind)
        return python("bench.programs.load", self.url + path, *arguments, *body, core=LOAD)


@contextmanager
def ours(folder: Path, database: Server, core: int | None = MEASURED) -> Iterator[Receiver]:
    """The command `serve`, with business queries as they are shipped, events, and Sentry without an upstream."""
    port, metrics = free_port(), free_port()
    document: dict[str, Any] = {
        "listen": f"127.0.0.1:{metrics}",
        "log": {"level": "error"},
        "database": {"url": {"env": "BENCH_DATABASE_URL"}},
        "ingest": {
            "listen": f"127.0.0.1:{port}",
            "url": {"env": "BENCH_WRITER_URL"},
            "limits": _FAST,
            "events": {},
            "sentry": {"projects": {"api": {"dsn": {"env": "BENCH_DSN"}, "forward": False}}},
        },
    }
    config = folder / "ours.yml"
    config.write_text(yaml.safe_dump(document))
    environ = {"BENCH_DATABASE_URL": database.url, "BENCH_WRITER_URL": database.writer_url, "BENCH_DSN": DSN}
    with Child(sys.executable, "-m", "exporter", "serve", "--config", config, core=core, environ=environ) as child:
        receiver = Receiver(child, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}/metrics")
        page.wait_for(receiver.metrics, "chatterfy_events_total{")
        yield receiver


@contextmanager
def peer_pushgateway(core: int | None = MEASURED) -> Iterator[Receiver]:
    """pushgateway, which keeps nothing on disk."""
    address = f"127.0.0.1:{free_port()}"
    assets = TOOLS / "pushgateway/usr/share/prometheus/pushgateway"
    flags = (f"--web.listen-address={address}", "--persistence.file=", f"--web.local-assets={assets}")
    with Child(pushgateway(), *flags, "--log.level=error", core=core) as child:
        page.wait_for(f"http://{address}/metrics", "pushgateway_build_info")
        yield Receiver(child, f"http://{address}/metrics/job/api/instance/api-1")


@contextmanager
def aiohttp_handler(*options: str) -> Iterator[Receiver]:
    """A handler that parses events and counts them, as one would write it by hand."""
    with python("bench.programs.counting_server", *options, core=MEASURED) as child:
        yield Receiver(child, child.facts()["url"])
