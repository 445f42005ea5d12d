"""The rules of https://github.com/grafana/dashboard-linter (docs/rules), in this project's words.

They hold for every kind of panel here, where the linter looks at some.
"""

import re
from collections.abc import Callable, Iterator

import promql_parser as promql

from tests.support.dashboards.expressions import parsed
from tests.support.dashboards.files import Screen
from tests.support.dashboards.looks import UNITS
from tests.support.dashboards.variables import interpolated, readable

Rule = Callable[[Screen], Iterator[tuple[str, str]]]
"""Gives panel (or variable) and problem."""

RATE_INTERVAL = 673
"""Seconds that no expression has, in the place of $__rate_interval."""
COUNTED = {"rate", "irate", "increase"}


def template_datasource_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    found = [it for it in screen.variables if it.kind == "datasource"]
    if [(it.name, it.raw.get("label")) for it in found] != [("datasource", "Data source")]:
        yield "", "there is not precisely one data source to choose"


def template_job_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    yield from _template(screen, "job")


def template_instance_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    yield from _template(screen, "instance")


def template_label_promql_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for variable in screen.variables:
        if variable.kind == "query":
            match = re.fullmatch(
                r"(?:label_names|label_values|metrics|query_result)\((.+?)(?:, \w+)?\)", variable.query
            )
            if match is None or _unreadable(match[1]):
                yield variable.name, "its query cannot be asked"


def template_on_time_change_reload_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for variable in screen.variables:
        if variable.kind == "query" and variable.raw.get("refresh") != 2:
            yield variable.name, "its values stand still when the time is changed"


def panel_datasource_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for panel in screen.panels:
        if panel.raw.get("datasource", {}).get("uid") not in {"$datasource", "${datasource}"}:
            yield panel.title, "does not ask the data source that is chosen"


def panel_title_description_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for panel in screen.panels:
        if not (panel.title and panel.raw.get("description")):
            yield panel.title, "has no title or no description"


def panel_units_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for panel in screen.panels:
        if panel.defaults.get("unit") not in UNITS:
            yield panel.title, "has no unit"


def panel_no_targets_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for panel in screen.panels:
        if not panel.targets:
            yield panel.title, "asks nothing"


def target_logql_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for panel, target in screen.targets:
        if target.raw.get("datasource", {}).get("type") == "loki":
            yield panel.title, "asks Loki, which nothing here reads"


target_logql_auto_rule = target_logql_rule


def target_promql_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for panel, target in screen.targets:
        if _unreadable(target.expr):
            yield panel.title, f"{target.ref} is no PromQL"


def target_rate_interval_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for panel, target in screen.targets:
        for call in _calls(interpolated(target.expr, {"__rate_interval": f"{RATE_INTERVAL}s"}), {"rate", "irate"}):
            (argument,) = call.args
            if not isinstance(argument, promql.MatrixSelector) or argument.range.total_seconds() != RATE_INTERVAL:
                yield panel.title, f"{target.ref}: {call.func.name}() of a range that does not fit the width"


def target_job_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    yield from _matched(screen, "job")


def target_instance_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    yield from _matched(screen, "instance")


def target_counter_agg_rule(screen: Screen) -> Iterator[tuple[str, str]]:
    for panel, target in screen.targets:
        selected = _selectors(target.expr)
        counted = [selector for call in _calls(target.expr, COUNTED) for selector in _selectors(str(call))]
        if any(name.endswith("_total") for name in selected) and len(selected) - len(counted) > 0:
            names = [*selected]
            for name in counted:
                names.remove(name)
            yield from ((panel.title, f"{name} as it is") for name in names if name.endswith("_total"))


def uneditable_dashboard(screen: Screen) -> Iterator[tuple[str, str]]:
    if screen.raw.get("editable") is not False:
        yield "", "can be edited"


RULES: dict[str, Rule] = {
    name.replace("_", "-"): it
    for name, it in list(globals().items())
    if name.endswith("_rule") or name == "uneditable_dashboard"
}


def _template(screen: Screen, name: str) -> Iterator[tuple[str, str]]:
    found = next((it for it in screen.variables if it.name == name), None)
    if found is None:
        yield name, "cannot be chosen"
        return
    wanted = {"type": "query", "label": name.title(), "multi": True, "allValue": ".+"}
    yield from ((name, f"has another {key}") for key, value in wanted.items() if found.raw.get(key) != value)


def _matched(screen: Screen, label: str) -> Iterator[tuple[str, str]]:
    for panel, target in screen.targets:
        for selector in re.findall(r"{[^{}]*}", target.expr):
            if f'{label}=~"${label}"' not in selector:
                yield panel.title, f"{target.ref} has no matcher of the {label} that is chosen"
                break


def _unreadable(expr: str) -> bool:
    try:
        promql.parse(readable(expr))
    except ValueError:
        return True
    return False


def _calls(expr: str, functions: set[str]) -> list[promql.Call]:
    found: list[promql.Call] = []
    _walk(expr, lambda it: found.append(it) if isinstance(it, promql.Call) and it.func.name in functions else None)
    return found


def _selectors(expr: str) -> list[str]:
    """Names, as often as they stand there."""
    found: list[str] = []
    _walk(expr, lambda it: found.append(it.name or "") if isinstance(it, promql.VectorSelector) else None)
    return found


def _walk(expr: str, visit: Callable[[promql.Expr], None]) -> None:
    try:
        promql.walk(parsed(expr), visit)
    except ValueError:
        return  # which is another rule's finding
