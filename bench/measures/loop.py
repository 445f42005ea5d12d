"""How long the event loop is held, and how old a result is when it comes to the page."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.child import LOAD, MEASURED, python
from bench.configuration import http_probes
from bench.measures.scrape import PROBES, SERIES
from bench.report import Report, Target, milliseconds


def measure(pace: float) -> Report:
    """Lets the exporter tick for half a minute while ten times a second its page is read."""
    with TemporaryDirectory() as name, python("bench.programs.probed", core=LOAD) as probed:
        config = http_probes(Path(name), probed.facts()["url"], PROBES, 10.0)
        arguments = (config, "--series", SERIES, "--tick")
        with python("bench.programs.exporter", *arguments, core=MEASURED) as exporter:
            url = exporter.facts()["url"]
            time.sleep(3)
            with python("bench.programs.freshness", url, 30 * pace, core=LOAD) as watcher:
                fresh = watcher.facts()
            exporter.stop()
            ticked = exporter.facts()
    rows = [
        ("the loop held, longest", milliseconds(ticked["held"])),
        ("CPU of the process in that time", milliseconds(ticked["used"])),
        ("garbage collection, longest", milliseconds(ticked["collected"])),
        (f"age of a result when it is first seen, median of {fresh['results']:,}", milliseconds(fresh["median"])),
        ("age of a result when it is first seen, oldest", milliseconds(fresh["oldest"])),
    ]
    targets = [
        Target("event loop, longest time held", ticked["held"] * 1000, 50, " ms"),
        Target("page, oldest result when first seen", fresh["oldest"], 1.0, " s"),
    ]
    return Report("loop", ("What", "How long"), rows, targets)
