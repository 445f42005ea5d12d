"""The shipped Prometheus rules, as data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "prometheus"


@dataclass(frozen=True)
class Rule:
    """One rule; `place` counts within its group, which is named after file and group."""

    group: str
    place: int
    interval: str | None
    record: str
    alert: str
    expr: str
    wait: str
    labels: dict[str, str]
    annotations: dict[str, str]


def rules() -> list[Rule]:
    """All of them, in the order of files and groups."""
    found = []
    for path in sorted((FOLDER / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            found += [
                _rule(f"{path.stem}/{group['name']}", place, group, it) for place, it in enumerate(group["rules"])
            ]
    return found


def _rule(group: str, place: int, options: dict[str, Any], it: dict[str, Any]) -> Rule:
    return Rule(
        group,
        place,
        options.get("interval"),
        it.get("record", ""),
        it.get("alert", ""),
        str(it["expr"]),
        it.get("for", "0s"),
        it.get("labels", {}),
        it.get("annotations", {}),
    )


def alerts() -> list[Rule]:
    """Those that alert."""
    return [rule for rule in rules() if rule.alert]
