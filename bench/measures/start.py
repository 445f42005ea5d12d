"""How soon the first page is there, and how much memory the process has at rest with every kind of probe in use."""

import sys
import time
from collections.abc import Mapping
from statistics import median
from tempfile import TemporaryDirectory

from bench import page
from bench.child import LOAD, MEASURED, Child, free_port, python
from bench.report import Report, Target, figure

STARTS = 5


def measure(pace: float) -> Report:
    """Starts the command as a user does, with a configuration that names every kind."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    with TemporaryDirectory() as name, python("bench.programs.neighbours", name, port, core=LOAD) as neighbours:
        facts = neighbours.facts()
        command = (sys.executable, "-m", "exporter", "serve", "--config", facts["path"])
        times = [_first_page(command, facts["environ"], url) for _ in range(STARTS)]
        with Child(*command, core=MEASURED, environ=facts["environ"]) as exporter:
            text = page.wait_for(url, "chatterfy_probe_runs_total")
            while min(page.runs(text).values()) < max(1, 5 * pace):
                time.sleep(0.5)
                text = page.fetch(url)
            memory = exporter.memory()
    rows = [
        ("first page after the process' start, median", f"{figure(median(times))} s"),
        ("first page after the process' start, longest", f"{figure(max(times))} s"),
        (f"resident memory, {len(page.runs(text))} probes of all kinds, each run five times", f"{memory:.0f} MB"),
        ("of these runs failed", f"{page.failures(text):.0f}"),
    ]
    targets = [
        Target("start, first page", median(times), 1.5, " s"),
        Target("memory at rest, every kind in use", memory, 120, " MB"),
    ]
    return Report("start", ("What", "How much"), rows, targets)


def _first_page(command: tuple[str, ...], environ: Mapping[str, str], url: str) -> float:
    begin = time.perf_counter()
    with Child(*command, core=MEASURED, environ=environ):
        page.wait_for(url, "chatterfy_build_info")
        return time.perf_counter() - begin
