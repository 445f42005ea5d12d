"""The shipped dashboards, as data."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "grafana/dashboards/chatterfy"


@dataclass(frozen=True)
class Target:
    """One query of a panel."""

    raw: dict[str, Any]

    @property
    def ref(self) -> str:
        return str(self.raw.get("refId", ""))

    @property
    def expr(self) -> str:
        return str(self.raw.get("expr", ""))

    @property
    def legend(self) -> str:
        return str(self.raw.get("legendFormat", ""))

    @property
    def instant(self) -> bool:
        """Whether only the last value is asked for."""
        return bool(self.raw.get("instant"))


@dataclass(frozen=True)
class Panel:
    """One that shows data: no row."""

    raw: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.raw.get("title", ""))

    @property
    def kind(self) -> str:
        return str(self.raw["type"])

    @property
    def targets(self) -> list[Target]:
        return [Target(raw) for raw in self.raw.get("targets", [])]

    @property
    def defaults(self) -> dict[str, Any]:
        """How each field is shown."""
        found: dict[str, Any] = self.raw.get("fieldConfig", {}).get("defaults", {})
        return found

    def overridden(self, name: str) -> Iterator[tuple[str, Any]]:
        """The field or pattern, and the value, wherever single fields have a property of their own."""
        for override in self.raw.get("fieldConfig", {}).get("overrides", []):
            for given in override["properties"]:
                if given["id"] == name:
                    yield override["matcher"]["options"], given["value"]

    @property
    def links(self) -> list[str]:
        """Addresses, those of fields included."""
        own = [link.get("url", "") for link in self.raw.get("links") or []]
        return own + [link["url"] for _, links in self.overridden("links") for link in links]

    @property
    def options(self) -> dict[str, Any]:
        found: dict[str, Any] = self.raw.get("options", {})
        return found

    def transformed(self, kind: str) -> dict[str, Any]:
        """The options of the transformation of this kind."""
        found = [it["options"] for it in self.raw.get("transformations") or [] if it["id"] == kind]
        return dict(found[0]) if found else {}


@dataclass(frozen=True)
class Variable:
    """A choice at the top."""

    raw: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.raw["name"])

    @property
    def kind(self) -> str:
        return str(self.raw["type"])

    @property
    def query(self) -> str:
        """What is asked, or the constant's value."""
        query = self.raw.get("query", "")
        return str(query["query"] if isinstance(query, dict) else query)


@dataclass(frozen=True)
class Screen:
    """A dashboard."""

    name: str
    raw: dict[str, Any]

    @cached_property
    def boxes(self) -> list[dict[str, Any]]:
        """Panels and rows, as they follow each other, the ones in collapsed rows included."""
        return [box for top in self.raw["panels"] for box in (top, *(top.get("panels") or []))]

    @cached_property
    def panels(self) -> list[Panel]:
        return [Panel(box) for box in self.boxes if box["type"] != "row"]

    @cached_property
    def targets(self) -> list[tuple[Panel, Target]]:
        return [(panel, target) for panel in self.panels for target in panel.targets]

    @cached_property
    def variables(self) -> list[Variable]:
        return [Variable(raw) for raw in self.raw["templating"]["list"]]

    @cached_property
    def annotations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.raw["annotations"]["list"]
        return found

    def changed(self) -> "Screen":
        """A copy that may be changed."""
        return Screen(self.name, deepcopy(self.raw))


def screens() -> list[Screen]:
    """All of them, by name."""
    return [Screen(path.stem, json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]


def uids() -> set[str]:
    """What /d/UID may lead to."""
    return {str(screen.raw["uid"]) for screen in screens()}
