"""Samples to OpenMetrics text, as promtool reads it: one line each, without types, which nothing here asks for."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from exporter.app import App  # noqa: F401  (declares every metric)
from exporter.metrics.catalogue import CATALOGUE
from grafana.past.grid import Grid

ENVIRONMENT = "production"
TARGET = {
    "environment": ENVIRONMENT,
    "instance": "exporter:9877",
    "job": "chatterfy-exporter",
}
"""The labels that a scrape of the exporter adds."""
PROMETHEUS = TARGET | {"instance": "localhost:9090", "job": "prometheus"}
ALERTMANAGER = TARGET | {"instance": "alertmanager:9093", "job": "alertmanager"}
TARGETS = (TARGET, PROMETHEUS, ALERTMANAGER)

Value = float | str | None
"""None is no sample."""


def series(name: str, labels: Mapping[str, str]) -> str:
    """A series as it is written, with labels in alphabetical order."""
    escaped = {label: value.replace("\\", r"\\").replace('"', r"\"") for label, value in labels.items()}
    pairs = ",".join(f'{label}="{escaped[label]}"' for label in sorted(escaped))
    return f"{name}{{{pairs}}}"


class Book:
    """A file of samples, as a context: its end has to be written too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples = 0
        self.written: set[str] = set()
        self._file = path.open("w", encoding="utf-8", buffering=1 << 20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.write("# EOF\n")
        self._file.close()

    def write(self, name: str, labels: Mapping[str, str], grid: Grid, values: Iterable[Value]) -> None:
        """One series: a value for each moment of the grid."""
        written = series(name, labels)
        self.written.add(written)
        head = f"{written} "
        lines = [f"{head}{value}{at}" for value, at in zip(values, grid.texts, strict=True) if value is not None]
        self.samples += len(lines)
        self._file.write("".join(lines))

    def lines(self, name: str, labels: Mapping[str, str], values: Iterable[tuple[int, Value]]) -> None:
        """One series: its moments and values."""
        head = f"{series(name, labels)} "
        lines = [f"{head}{value} {time}\n" for time, value in values]
        self.samples += len(lines)
        self._file.write("".join(lines))

    def ours(self, name: str, values: tuple[str, ...], grid: Grid, samples: Iterable[Value]) -> None:
        """A series of the catalogue; `values` are its label values in the catalogue's order."""
        labels = dict(zip(CATALOGUE[name].labels, values, strict=True))
        self.write(name, TARGET | labels, grid, samples)

    def histogram(
        self,
        name: str,
        labels: Mapping[str, str],
        grid: Grid,
        columns: Mapping[str, Sequence[Value]],
        total: Iterable[Value],
    ) -> None:
        """A histogram's buckets by their `le`, of which +Inf is the count, and its sum."""
        for bound, values in columns.items():
            self.write(f"{name}_bucket", {**labels, "le": bound}, grid, values)
        self.write(f"{name}_count", labels, grid, columns["+Inf"])
        self.write(f"{name}_sum", labels, grid, total)
