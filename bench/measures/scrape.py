"""What a scrape costs at 10,000 series, and how long it takes with four scrapers, beside what it takes elsewhere."""

import json
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench import page, query_exporter
from bench.child import LOAD, MEASURED, Child, python
from bench.configuration import http_probes
from bench.peers import query_exporter_version
from bench.programs.load import ACCEPT
from bench.report import Report, Target, milliseconds

SERIES, PROBES, ROUNDS, SCRAPERS = 10_000, 200, 5, 4


@dataclass
class Scraped:
    """One server, and what was measured of it round by round."""

    child: Child
    url: str
    cpu: list[float] = field(default_factory=list)
    times: list[dict[str, Any]] = field(default_factory=list)

    def scrape(self, seconds: float, standing: float = 0.0) -> None:
        """Scrapes as fast as answers come; `standing` is the share of a core that goes to its other work."""
        begin, used = time.perf_counter(), self.child.cpu()
        with python("bench.programs.load", self.url, "--seconds", seconds, core=LOAD) as load:
            found = load.facts()
        used = self.child.cpu() - used - standing * (time.perf_counter() - begin)
        self.cpu.append(used / found["count"])
        self.times.append(found)

    def typical(self, figure: str) -> float:
        """The median over the rounds of `median` or `p99`."""
        return float(median(found[figure] for found in self.times))

    def row(self, name: str, series: int) -> tuple[str, ...]:
        """The server as the table shows it."""
        figures = (median(self.cpu), self.typical("median"), self.typical("p99"))
        return name, f"{series:,}", *map(milliseconds, figures)


def measure(pace: float) -> Report:
    """Takes the servers in turn, so that whatever else the machine does meets them all."""
    seconds = 3 * pace
    with ExitStack() as stack, TemporaryDirectory() as name:
        folder = Path(name)
        probed = stack.enter_context(python("bench.programs.probed", core=LOAD)).facts()["url"]
        config = http_probes(folder, probed, PROBES, 10.0)
        exporter = stack.enter_context(python("bench.programs.exporter", config, "--series", SERIES, core=MEASURED))
        ours = Scraped(exporter, exporter.facts()["url"])
        peer = Scraped(*query_exporter.start(folder, SERIES))
        stack.enter_context(peer.child)
        time.sleep(4)
        text = page.fetch(ours.url)
        floor = _floor(stack, folder, ours.url)
        standing = []
        for _ in range(ROUNDS):
            standing.append(exporter.cpu_during(seconds) / seconds)
            ours.scrape(seconds, standing[-1])
            floor.scrape(seconds)
            peer.scrape(seconds)
        generated = _generate_latest(folder, text)
    series = page.series(text)
    rows = [
        ours.row("ours", series),
        floor.row("aiohttp, the same bytes", series),
        ("prometheus_client, generate_latest", f"{series:,}", milliseconds(generated), "", ""),
        peer.row(f"query-exporter {query_exporter_version()}", SERIES),
        ("ours, not scraped: a second of it", f"{series:,}", milliseconds(median(standing)), "", ""),
    ]
    own = median(ours.cpu)
    targets = [
        Target("scrape, CPU against aiohttp with the same bytes", own / median(floor.cpu), 1.3, "x"),
        Target("scrape, generate_latest's CPU against ours", generated / own, 50, "x", at_least=True),
        Target("scrape, query-exporter's CPU against ours", median(peer.cpu) / own, 100, "x", at_least=True),
        Target(f"scrape, p99 with {SCRAPERS} scrapers", ours.typical("p99") * 1000, 5, " ms"),
    ]
    head = ("Server", "Series", "CPU per scrape", "Median time", "p99")
    return Report("scrape", head, rows, targets)


def _floor(stack: ExitStack, folder: Path, url: str) -> Scraped:
    """A bare aiohttp handler that sends what the exporter sent just now."""
    request = urllib.request.Request(url, headers={"Accept": ACCEPT, "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        (folder / "page").write_bytes(answer.read())
        headers = json.dumps({name: answer.headers[name] for name in ("Content-Type", "Content-Encoding")})
    child = stack.enter_context(python("bench.programs.bytes_server", folder / "page", headers, core=MEASURED))
    return Scraped(child, child.facts()["url"])


def _generate_latest(folder: Path, text: str) -> float:
    """CPU of one rendering of the same samples by prometheus_client."""
    (folder / "text").write_text(text)
    with python("bench.programs.generate_latest", folder / "text", 10, core=MEASURED) as child:
        return float(child.facts()["cpu"])
