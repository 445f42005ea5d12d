"""Program: prometheus_client's own rendering of the samples on a page; prints the CPU of one rendering."""

import json
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


class Parsed(Collector):
    """The families of a page."""

    def __init__(self, text: str) -> None:
        self._families = list(text_string_to_metric_families(text))

    def collect(self) -> Iterable[Metric]:
        """Hands them over as they are."""
        return self._families


def main(file: Path, times: int) -> None:
    """Renders the page so many times."""
    registry = CollectorRegistry()
    registry.register(Parsed(file.read_text()))
    used = []
    for _ in range(times):
        begin = time.process_time()
        generate_latest(registry)
        used.append(time.process_time() - begin)
    print(json.dumps({"cpu": statistics.median(used)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
