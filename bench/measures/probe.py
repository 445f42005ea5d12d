"""What an HTTP probe costs, with its phases, beside blackbox_exporter and bare aiohttp."""

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import page
from bench.child import LOAD, MEASURED, Child, free_port, python
from bench.configuration import http_probes
from bench.peers import blackbox_exporter, blackbox_version
from bench.report import Report, Target, milliseconds
from exporter.schedule import FIRST_RUNS_WITHIN

PROBES, INTERVAL, ROUNDS = 100, 0.2, 5
RATE = PROBES / INTERVAL
"""Probes a second, the same for all."""

_MODULE = "modules: {http_2xx: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}}\n"


def measure(pace: float) -> Report:
    """Takes the three in turn, with as many probes a second of the same server."""
    seconds = 4 * pace
    ours: list[tuple[float, float]] = []
    theirs: list[float] = []
    floor: list[float] = []
    with TemporaryDirectory() as name, python("bench.programs.probed", core=LOAD) as probed:
        folder, url = Path(name), str(probed.facts()["url"])
        for _ in range(ROUNDS):
            ours.append(_ours(folder, url, seconds))
            theirs.append(_blackbox(folder, url, seconds))
            floor.append(_bare(url, seconds))
    probing, idle = (median(column) for column in zip(*ours, strict=True))
    peer, bare = median(theirs), median(floor)
    rows = [
        ("ours, with bookkeeping and the page", milliseconds(probing)),
        (f"blackbox_exporter {blackbox_version()}", milliseconds(peer)),
        ("bare aiohttp, phases traced", milliseconds(bare)),
        ("ours, one second without a probe", milliseconds(idle)),
    ]
    targets = [Target("HTTP probe, our CPU against blackbox_exporter's", probing / peer, 1.0, "x")]
    return Report("probe", ("Program", "CPU per probe"), rows, targets)


def _ours(folder: Path, url: str, seconds: float) -> tuple[float, float]:
    """CPU of one run, all that the process does included; and of a second in which nothing runs."""
    with python("bench.programs.exporter", http_probes(folder, url, PROBES, 3600.0), core=MEASURED) as exporter:
        exporter.facts()
        time.sleep(FIRST_RUNS_WITHIN + 1)
        idle = exporter.cpu_during(seconds / 2) / (seconds / 2)
    with python("bench.programs.exporter", http_probes(folder, url, PROBES, INTERVAL), core=MEASURED) as exporter:
        metrics = exporter.facts()["url"]
        time.sleep(1)
        before = sum(page.runs(page.fetch(metrics)).values())
        used = exporter.cpu_during(seconds)
        after = page.fetch(metrics)
    return used / (sum(page.runs(after).values()) - before), idle


def _blackbox(folder: Path, url: str, seconds: float) -> float:
    config = folder / "blackbox.yml"
    config.write_text(_MODULE)
    port = free_port()
    arguments = ("--config.file", config, "--web.listen-address", f"127.0.0.1:{port}", "--log.level=error")
    asked = f"http://127.0.0.1:{port}/probe?module=http_2xx&target={url}/probed"
    with Child(blackbox_exporter(), *arguments, core=MEASURED) as blackbox:
        page.wait_for(asked, "probe_http_duration_seconds")
        before = blackbox.cpu()
        with python("bench.programs.load", asked, "--rate", RATE, "--seconds", seconds, core=LOAD) as load:
            count = load.facts()["count"]
        return (blackbox.cpu() - before) / float(count)


def _bare(url: str, seconds: float) -> float:
    with python("bench.programs.phased_client", f"{url}/probed", RATE, seconds, core=MEASURED) as client:
        found = client.facts()
    return float(found["cpu"]) / float(found["count"])
