"""Whether 500 probes on ten-second intervals keep their schedule on one core."""

import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import page
from bench.child import LOAD, MEASURED, python
from bench.configuration import http_probes
from bench.report import Report, Target, milliseconds

PROBES, INTERVAL, POLL = 500, 10.0, 2.0


def measure(pace: float) -> Report:
    """Watches every probe's last run for four intervals."""
    began: dict[str, set[float]] = defaultdict(set)
    with TemporaryDirectory() as name, python("bench.programs.probed", core=LOAD) as probed:
        config = http_probes(Path(name), probed.facts()["url"], PROBES, INTERVAL)
        with python("bench.programs.exporter", config, core=MEASURED) as exporter:
            url = exporter.facts()["url"]
            time.sleep(4)
            first, begin, used = page.fetch(url), time.perf_counter(), exporter.cpu()
            passed = 0.0
            while passed < 4 * INTERVAL * pace:
                time.sleep(POLL)
                last, passed = page.fetch(url), time.perf_counter() - begin
                for probe, moment in page.last_runs(last).items():
                    began[probe].add(moment)
            share = (exporter.cpu() - used) / passed
    before, after = page.runs(first), page.runs(last)
    late = sorted(lateness for moments in began.values() for lateness in lateness_of(moments, INTERVAL))
    off = sum(abs(after[probe] - before[probe] - passed / INTERVAL) > 1 for probe in after)
    p99 = late[int(len(late) * 0.99)]
    rows = [
        (f"runs in {passed:.0f} s", f"{sum(after.values()) - sum(before.values()):,.0f}"),
        ("probes that ran once too often or too rarely, or more", str(off)),
        ("lateness of a run, median", milliseconds(median(late))),
        ("lateness of a run, p99", milliseconds(p99)),
        ("lateness of a run, longest", milliseconds(late[-1])),
        ("runs that failed", f"{page.failures(last):.0f}"),
        ("share of one core", f"{share:.1%}"),
    ]
    targets = [
        Target(f"schedule of {PROBES} probes, probes off it", off, 0),
        Target(f"schedule of {PROBES} probes, p99 of lateness", p99 * 1000, 100, " ms"),
    ]
    return Report("schedule", ("What", "How much"), rows, targets)


def lateness_of(moments: set[float], interval: float) -> list[float]:
    """How late each run began, against the schedule that the probe's most punctual run sets."""
    first = min(moments)
    offsets = [moment - first - interval * round((moment - first) / interval) for moment in moments]
    return [offset - min(offsets) for offset in offsets]
