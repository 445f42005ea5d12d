"""Variables in texts, as Grafana replaces them, and what is wrong with a dashboard's own."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.dashboards.files import Screen, Variable

REFERENCE = re.compile(r"\$(\w+)|\$\{([\w.]+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]")
ALL = ".*"
BUILT_IN = {
    "__interval", "__interval_ms", "__rate_interval", "__rate_interval_ms", "__range", "__range_s", "__range_ms",
    "__from", "__to", "__url_time_range", "__all_variables", "__value", "__field", "__series", "__data",
    "__dashboard", "__name", "__org", "__user", "timeFilter",
}  # fmt: skip
"""https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/#global-variables, and those of
data links."""
STEADY = {"__interval": "1m", "__rate_interval": "5m", "__range": "6h"}
"""Something for each that makes an expression readable."""


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """What is not known stays as it is."""

    def value(found: re.Match[str]) -> str:
        return values.get(next(filter(None, found.groups())), found[0])

    return REFERENCE.sub(value, text)


def readable(text: str) -> str:
    """The expression with something in the place of each variable: all values, or the environment `it`."""
    names = {name for name in used(text) if name not in STEADY}
    return interpolated(text, STEADY | dict.fromkeys(names, ALL) | {"environment": "it"})


def used(text: str) -> set[str]:
    """The variables' names; `$1` is a part of a regular expression."""
    found = {next(filter(None, groups)).split(".")[0] for groups in REFERENCE.findall(text)}
    return {name for name in found if not name.isdecimal()}


def strings(it: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(it, str):
        yield it
    elif isinstance(it, dict | list):
        for part in it.values() if isinstance(it, dict) else it:
            yield from strings(part)


def variable_problems(screen: Screen) -> list[str]:
    """Each that is used is defined before, each that is defined is used, and each is set up as the others are."""
    problems, before = [], set(BUILT_IN)
    for variable in screen.variables:
        unknown = used("\n".join(strings(variable.raw))) - before - {variable.name, "__all"}
        problems += [f"${variable.name} asks for ${name}, which does not stand before it" for name in unknown]
        problems += _setting_problems(variable)
        before.add(variable.name)
    rest = {name: part for name, part in screen.raw.items() if name != "templating"}
    everywhere = used("\n".join(strings(rest)))
    asked = used("\n".join(variable.query for variable in screen.variables))
    problems += [f"${name} is not defined" for name in sorted(everywhere - before)]
    defined = before - BUILT_IN
    return problems + [f"${name} is never used" for name in sorted(defined - everywhere - (asked & {"environment"}))]


def _setting_problems(variable: Variable) -> list[str]:
    raw, name = variable.raw, variable.name
    if variable.kind != "query":
        return []
    wanted: dict[str, Any] = {"multi": True, "includeAll": True, "allValue": ALL} if name != "environment" else {}
    wrong = [key for key, value in wanted.items() if raw.get(key) != value]
    if name == "environment" and (raw.get("multi") or raw.get("includeAll")):
        wrong.append("multi or includeAll: two environments at once are none")
    match = re.fullmatch(r"label_values\(.+, (\w+)\)", variable.query)
    if match is None or match[1] != name:
        wrong.append(f"query: not the values of the label {name}")
    return [f"${name} has another {what}" for what in wrong]
