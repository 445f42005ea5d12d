"""Draws the dashboards: python -m grafana.preview [NAME...] [--prometheus URL --at SECONDS]."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from grafana import past
from grafana.preview.drawing import Drawn, Picture, draw
from grafana.preview.page import CannotDrawError, build

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "grafana/dashboards/chatterfy"
PICTURES = ROOT / "docs/preview"
CACHE = ROOT / ".tools/past"


def main() -> int:
    """1 when a panel has no data or cannot be drawn, 2 when nothing can be."""
    names = sorted(path.stem for path in DASHBOARDS.glob("*.json"))
    parser = argparse.ArgumentParser(prog="python -m grafana.preview", description="Draws the dashboards.")
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"any of {', '.join(names)}; all by default")
    parser.add_argument("--prometheus", metavar="URL", help="what to ask; by default one with the past of grafana/past")
    parser.add_argument("--at", type=float, metavar="SECONDS", help="the moment to draw, in seconds since 1970")
    parser.add_argument("--into", type=Path, default=PICTURES, metavar="FOLDER", help="where pictures go")
    parser.add_argument("--report", type=Path, metavar="FILE", help="writes what each panel showed, as JSON")
    options = parser.parse_args()
    if unknown := sorted(set(options.only) - set(names)):
        parser.error(f"no dashboard named {', '.join(unknown)}; there are {', '.join(names)}")
    options.into.mkdir(parents=True, exist_ok=True)
    pictures = [
        Picture(DASHBOARDS / f"{name}.json", (options.into / f"{name}.png").resolve()) for name in options.only or names
    ]
    try:
        build()
        drawn = asyncio.run(_drawn(pictures, options.prometheus, options.at))
    except (CannotDrawError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.report:
        whole = {each.picture.name: each.report for each in drawn}
        options.report.write_text(json.dumps(whole, indent=2) + "\n")
    return 1 if any(list(each.faults()) for each in drawn) else 0


async def _drawn(pictures: list[Picture], url: str | None, moment: float | None) -> list[Drawn]:
    result = []
    async with _prometheus(url, moment) as (address, at):
        async for each in draw(pictures, address, at):
            result.append(each)
            sys.stdout.write(f"{each.summary()}\n")
            for remark in each.remarks():
                sys.stdout.write(f"  look at {remark}\n")
            for fault in each.faults():
                sys.stderr.write(f"  wrong: {fault}\n")
            sys.stdout.flush()
    return result


@asynccontextmanager
async def _prometheus(url: str | None, moment: float | None) -> AsyncIterator[tuple[str, float]]:
    if url is not None:
        yield url, time.time() if moment is None else moment
        return
    end = past.END if moment is None else moment
    async with past.prometheus(end, cache=CACHE) as own:
        yield own, end


if __name__ == "__main__":
    sys.exit(main())
