"""Whether a dashboard is one that Grafana reads from a file, and set up as the others are."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from tests.support.dashboards.files import Screen

SCHEMA = Path(__file__).parents[2] / "data/grafana/grafana-dashboard-v1.schema.json"
NEWEST = 42
"""The last version of the classic JSON; files are read up to it."""
OWN = {
    "": ("titleFormat", "textFormat", "useValueForTime"),
    "target": ("expr", "interval", "refId"),
}
"""What the Prometheus data source adds to an annotation
(https://grafana.com/docs/grafana/latest/datasources/prometheus/annotations/), which the schema, as it is for every
data source, does not know: keys of the annotation itself and of its target."""
SETTINGS: dict[str, Any] = {"editable": False, "refresh": "30s", "tags": ["chatterfy"], "graphTooltip": 1, "version": 1}
"""`graphTooltip` 1 is the crosshair that all panels share."""
DROPDOWN = {"type": "dashboards", "asDropdown": True, "tags": ["chatterfy"], "keepTime": True, "includeVars": True}


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(SCHEMA.read_text()))


def schema_problems(screen: Screen) -> list[str]:
    """What the schema says, deepest place first where it has a choice."""
    raw = screen.changed().raw
    for annotation in raw["annotations"]["list"]:
        for place, keys in OWN.items():
            for key in keys:
                (annotation[place] if place else annotation).pop(key, None)
    errors = sorted(_validator().iter_errors(raw), key=lambda error: list(map(str, error.absolute_path)))
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]


def form_problems(screen: Screen) -> list[str]:
    """What no schema says."""
    raw = screen.raw
    problems = [f"{key} is {raw.get(key)!r}, not {value!r}" for key, value in SETTINGS.items() if raw.get(key) != value]
    problems += [
        f"{key} is for dashboards that are imported by hand" for key in ("__inputs", "__requires", "id") if key in raw
    ]
    if raw.get("uid") != f"chatterfy-{screen.name}":
        problems.append(f"the uid is {raw.get('uid')!r}, and the file's name {screen.name!r}")
    if not 0 < raw.get("schemaVersion", 0) <= NEWEST:
        problems.append(f"schemaVersion is {raw.get('schemaVersion')}")
    if "${DS_" in json.dumps(raw):
        problems.append("${DS_...} is filled by an import alone")
    if not any(DROPDOWN.items() <= link.items() for link in raw.get("links", [])):
        problems.append("no dropdown leads to the other dashboards with time and variables")
    if raw["time"]["to"] != "now" or not raw["time"]["from"].startswith("now-"):
        problems.append("it does not end now")
    numbers = Counter(box.get("id") for box in screen.boxes)
    problems += [f"{count} panels have the id {number}" for number, count in numbers.items() if count > 1 or not number]
    for panel in screen.panels:
        names = Counter(target.ref for target in panel.targets)
        problems += [f"{panel.title}: refId {ref!r} twice" for ref, count in names.items() if count > 1 or not ref]
    return problems
