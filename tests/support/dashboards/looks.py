"""Whether panels are laid out and dressed as they should be."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from grafana_foundation_sdk.models import units

from tests.support.dashboards.files import Panel, Screen

COLUMNS = 24
UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}
CALCULATIONS = {"lastNotNull", "last", "mean", "max", "min", "sum", "median", "first", "firstNotNull", "range", "delta"}
"""Those that are of use here (https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/calculation-types/)."""
REDUCED = {"stat", "gauge", "bargauge", "piechart"}
"""Kinds that show a value of each series."""


def grid_problems(screen: Screen) -> list[str]:
    """Lines fill the whole width, one below the other, each of one height, in the order of the file."""
    problems, bottom = [], 0
    boxes = [(box["gridPos"], box.get("title", "")) for box in screen.raw["panels"]]
    if [box for box, _ in boxes] != sorted((box for box, _ in boxes), key=lambda box: (box["y"], box["x"])):
        problems.append("panels do not stand in the order in which they are read")
    for top, line in groupby(sorted(boxes, key=lambda it: (it[0]["y"], it[0]["x"])), key=lambda it: it[0]["y"]):
        row = list(line)
        problems += [f"{title}: overlaps or leaves a gap above" for _, title in row if top != bottom]
        right = 0
        for box, title in row:
            if box["x"] != right:
                problems.append(f"{title}: overlaps or leaves a gap on its left")
            if box["h"] != row[0][0]["h"]:
                problems.append(f"{title}: is not as high as its neighbours")
            right = box["x"] + box["w"]
        if right != COLUMNS:
            problems.append(f"{row[-1][1]}: the line ends at column {right}")
        bottom = top + row[0][0]["h"]
    if not boxes or screen.raw["panels"][0]["type"] != "row":
        problems.append("it does not begin with a row")
    return problems


def dress_problems(screen: Screen) -> list[str]:
    """Unit, description, text for nothing, legend and calculations."""
    titles = Counter(panel.title for panel in screen.panels)
    problems = [f"{title}: stands {count} times" for title, count in titles.items() if count > 1]
    if not screen.raw.get("description", "").endswith("."):
        problems.append("its description is no sentence")
    for panel in screen.panels:
        problems += [f"{panel.title}: {problem}" for problem in _panel_problems(panel)]
    return problems


def _panel_problems(panel: Panel) -> Iterator[str]:
    about = panel.raw.get("description", "")
    if not panel.title:
        yield "has no title"
    if not about.endswith("."):
        yield "its description is no sentence"
    if about.rstrip(".").lower() == panel.title.lower():
        yield "its description says what the title says"
    yield from (f"there is no unit {unit!r}" for unit in _units(panel) if unit not in UNITS)
    if not panel.defaults.get("noValue"):
        yield "says nothing where there is nothing"
    if not panel.targets:
        yield "asks nothing"
    yield from _legend_problems(panel.kind, panel.options)


def _units(panel: Panel) -> Iterator[str]:
    yield panel.defaults.get("unit", "")
    yield from (unit for _, unit in panel.overridden("unit"))
    if panel.kind == "heatmap":
        yield panel.options.get("yAxis", {}).get("unit", "")
        yield panel.options.get("cellValues", {}).get("unit", "")


def _legend_problems(kind: str, options: dict[str, Any]) -> Iterator[str]:
    legend = options.get("legend", {})
    if kind in {"timeseries", "piechart", "state-timeline"} and not legend.get("showLegend"):
        yield "has no legend"
    if kind == "timeseries" and not {*legend.get("calcs", [])} <= CALCULATIONS:
        yield "its legend has calculations that there are not"
    if kind == "timeseries" and bool(legend.get("calcs")) != (legend.get("displayMode") == "table"):
        yield "its legend is no table of calculations, and no list of names"
    if kind == "piechart" and not legend.get("values"):
        yield "its legend has no values"
    if kind == "timeseries" and options.get("tooltip", {}).get("mode") != "multi":
        yield "its tooltip shows one series alone"
    calcs = options.get("reduceOptions", {}).get("calcs", [])
    if kind in REDUCED and (len(calcs) != 1 or not {*calcs} <= CALCULATIONS):
        yield "does not say which value it shows"
