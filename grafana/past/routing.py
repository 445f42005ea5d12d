"""The shipped Alertmanager configuration, as far as it says who is told of what, and when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from grafana.past.rules import seconds

FILE = Path(__file__).parents[2] / "alertmanager" / "alertmanager.yml"
_MATCHER = re.compile(r'(\w+)(=~|!=|=)"(.*)"')


@dataclass(frozen=True)
class Route:
    """Where alerts go, and how they are put together."""

    matchers: tuple[str, ...]
    integrations: tuple[str, ...]
    group_by: tuple[str, ...]
    group_wait: int
    group_interval: int
    repeat_interval: int


@dataclass(frozen=True)
class Inhibition:
    """What keeps which alerts quiet."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    equal: tuple[str, ...]


def matches(labels: Mapping[str, str], matchers: tuple[str, ...]) -> bool:
    """Whether the labels are as all of these ask."""
    return all(_matches(labels, matcher) for matcher in matchers)


def _matches(labels: Mapping[str, str], matcher: str) -> bool:
    found = _MATCHER.fullmatch(matcher)
    if found is None:
        raise ValueError(f'expected a matcher such as severity="critical", got {matcher}')
    label, operator, wanted = found.groups()
    value = labels.get(label, "")
    if operator == "=~":
        return re.fullmatch(wanted, value) is not None
    return (value == wanted) == (operator == "=")


@cache
def _configuration() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


@cache
def routes() -> tuple[Route, ...]:
    """In the order in which they are tried; the last one takes everything."""
    root = _configuration()["route"]
    receivers = {receiver["name"]: _integrations(receiver) for receiver in _configuration()["receivers"]}
    found = []
    for route in [*root["routes"], {"matchers": []}]:
        own = root | route
        waits = [seconds(own[name]) for name in ("group_wait", "group_interval", "repeat_interval")]
        found.append(Route(tuple(route["matchers"]), receivers[own["receiver"]], tuple(own["group_by"]), *waits))
    return tuple(found)


def _integrations(receiver: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key.removesuffix("_configs") for key in receiver if key.endswith("_configs"))


@cache
def inhibitions() -> tuple[Inhibition, ...]:
    """All of them."""
    return tuple(
        Inhibition(tuple(it["source_matchers"]), tuple(it["target_matchers"]), tuple(it["equal"]))
        for it in _configuration()["inhibit_rules"]
    )


def route_of(labels: Mapping[str, str]) -> Route:
    """The first route that takes an alert with these labels."""
    return next(route for route in routes() if matches(labels, route.matchers))
