"""Runs the browser over the dashboards, and tells what is wrong with what it drew."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grafana.preview.page import FOLDER, CannotDrawError, node, program

_LINE = 16 * 1024 * 1024
"""Bytes: a report is one line."""


@dataclass(frozen=True)
class Picture:
    """A dashboard's JSON, and the PNG that is made of it."""

    dashboard: Path
    picture: Path

    @property
    def name(self) -> str:
        """As the dashboard's file is called."""
        return self.dashboard.stem


@dataclass(frozen=True)
class Drawn:
    """What became of one dashboard; `report` is that of src/report.ts."""

    picture: Picture
    report: Mapping[str, Any]

    def faults(self) -> Iterator[str]:
        """All that must not be: dashboard, panel, and what is wrong with it."""
        name = self.picture.name
        if error := self.report.get("error"):
            yield f"{name}: {error}"
        for complaint in self.report["complaints"]:
            yield f"{name}: the browser says {complaint}"
        for panel in self.report["panels"]:
            if error := panel.get("error"):
                yield f"{name}: {panel['title']}: {error}"
            elif panel["counts"] and not any(panel["counts"].values()):
                yield f"{name}: {panel['title']}: no data"

    def remarks(self) -> Iterator[str]:
        """What to look at: text that is cut off, and queries without an answer beside others that have one."""
        name = self.picture.name
        for panel in self.report["panels"]:
            if cut := panel["clipped"]["cut"]:
                yield f"{name}: {panel['title']}: cut off: {', '.join(map(repr, cut))}"
            if hidden := panel["clipped"]["hidden"]:
                yield f"{name}: {panel['title']}: {hidden} lines would have to be scrolled to"
            silent = [query for query, count in panel["counts"].items() if not count]
            if silent and len(silent) < len(panel["counts"]):
                yield f"{name}: {panel['title']}: no data for {', '.join(silent)}"

    def summary(self) -> str:
        """One line: how much was drawn."""
        panels = self.report["panels"]
        series = sum(count for panel in panels for count in panel["counts"].values())
        substitutes = sum(panel["substitute"] for panel in panels)
        size = self.picture.picture.stat().st_size // 1024
        return (
            f"{self.picture.name}: {len(panels)} panels ({substitutes} substitutes), {series} series,"
            f" {self.report['annotations']} annotations, {size} KiB, {self.report['milliseconds'] / 1000:.1f} s"
        )


async def draw(pictures: list[Picture], prometheus: str, moment: float) -> AsyncIterator[Drawn]:
    """Each in turn, as it looks at `moment` (seconds since 1970) over the Prometheus at this address.

    Raises:
        CannotDrawError: when the browser does not do its work.
    """
    wanted = {
        "prometheus": prometheus.rstrip("/"),
        "now": moment,
        "chromium": program("chromium"),
        "pictures": [{"dashboard": str(each.dashboard), "picture": str(each.picture)} for each in pictures],
    }
    process = await asyncio.create_subprocess_exec(
        node(), str(FOLDER / "draw.mjs"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=_LINE,
    )  # fmt: skip
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise CannotDrawError("the browser's program has no pipes")
    try:
        process.stdin.write(json.dumps(wanted).encode())
        process.stdin.close()
        for picture in pictures:
            line = await process.stdout.readline()
            if not line:
                raise CannotDrawError(f"{picture.name}: {(await process.stderr.read()).decode().strip()}")
            yield Drawn(picture, json.loads(line))
        await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
