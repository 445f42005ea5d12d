"""Whether expressions are right: of series that are there, used as what they are, and named by labels that are left."""

import re
from collections.abc import Iterable

import promql_parser as promql

from tests.support.dashboards.files import Panel, Screen, Target
from tests.support.dashboards.variables import readable
from tests.support.promql import Reading, Vector
from tests.support.series import known

GAINED = re.compile(
    r"(?P<now>sum by \((?P<by>[^()]*)\) \(max without \(instance\) \((?P<of>\w+\{[^{}]*\})\)\))"
    r" - \(sum by \((?P=by)\) \(max without \(instance\) \((?P=of) offset (?P<window>\w+)\)\)"
    r" or \(0 \* (?P=now) and on \(\) sum\(max without \(instance\) \((?P=of) offset (?P=window)\)\)\)"
    r" or min_over_time\(\((?P=now)\)\[(?P=window):5m\]\)(?: or (?P=now))?\)"
)
"""The exact difference of `gained` in grafana/source/promql.py: the one place where a counter may stand as it is."""
LEGEND = re.compile(r"{{ *(\w+) *}}")
GIVEN = {"environment", "job", "kind"}
"""Labels that a name may leave out: one environment is chosen, one job has it, and a probe is of one kind."""


def plain(expr: str) -> str:
    """The expression without variables, and with an increase in the place of each exact difference."""
    return GAINED.sub(r"sum by (\g<by>) (max without (instance) (increase(\g<of>[\g<window>])))", readable(expr))


def expressions(screen: Screen) -> list[tuple[str, str]]:
    """Where, and what is asked: of panels, variables and annotations."""
    panels = [(f"{panel.title} {target.ref}", target.expr) for panel, target in screen.targets]
    variables = [(f"${it.name}", _selector(it.query)) for it in screen.variables if it.kind == "query"]
    return panels + variables + [(str(it["name"]), str(it["target"]["expr"])) for it in screen.annotations]


def expression_problems(screen: Screen) -> list[str]:
    """What a reader of PromQL finds."""
    problems = []
    for where, expr in expressions(screen):
        try:
            reading = Reading(plain(expr), known())
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        found = list(reading.problems)
        if reading.result.kind == "counter" and not where.startswith("$"):
            found.append("a counter as it is is shown")
        problems += [f"{where}: {problem}" for problem in found]
    return problems


def naming_problems(screen: Screen) -> list[str]:
    """Whether names of series and columns say what sets them apart, by labels that are there."""
    problems = []
    for panel in screen.panels:
        try:
            results = [(target, _result(target)) for target in panel.targets]
        except ValueError:
            continue  # which is another check's finding
        found = _column_problems(panel, results) if panel.kind == "table" else _legend_problems(panel, results)
        problems += [f"{panel.title}: {problem}" for problem in found]
    for annotation in screen.annotations:
        texts = annotation.get("titleFormat", ""), annotation.get("textFormat", "")
        labels = Reading(plain(annotation["target"]["expr"]), known()).result.possible
        problems += [f"{annotation['name']}: no label {name}" for name in {*_labels(*texts)} - labels]
    return problems


def _result(target: Target) -> Vector:
    return Reading(plain(target.expr), known()).result


def _legend_problems(panel: Panel, results: Iterable[tuple[Target, Vector]]) -> list[str]:
    problems, plain_names = [], []
    for target, result in results:
        named = {*_labels(target.legend)}
        if named - result.possible or (named and not named & result.labels):
            problems.append(f"{target.ref}: {target.legend!r} names labels that the result has not")
        if unnamed := result.labels - named - GIVEN - _fixed(target):
            problems.append(f"{target.ref}: series differ in {', '.join(sorted(unnamed))}, their names do not")
        plain_names.append(target.legend)
    if len(plain_names) > 1 and len({*plain_names}) < len(plain_names):
        problems.append("two queries have the same legend")
    return problems


def _column_problems(panel: Panel, results: list[tuple[Target, Vector]]) -> list[str]:
    values = {f"Value #{target.ref}" for target, _ in results} if len(results) > 1 else {"Value"}
    possible = {"Time", *values, *(label for _, result in results for label in result.possible)}
    kept = {*panel.transformed("filterFieldsByName").get("include", {}).get("names", possible)}
    organize = panel.transformed("organize").get("renameByName", {})
    titles = {*organize.values()}
    named = {option for name in ("unit", "thresholds", "mappings", "links") for option, _ in panel.overridden(name)}
    named |= {it["displayName"] for it in panel.options.get("sortBy") or []}
    return [
        *(f"there is no field {name}" for name in sorted({*organize} - possible)),
        *(f"there is no column {name}" for name in sorted(named - titles)),
        *(f"the field {name} is shown without a title" for name in sorted(kept - {*organize})),
        *(f"the value of {name.removeprefix('Value #')} is not shown" for name in sorted(values - kept)),
        *(f"the column {name} has no unit" for name in sorted(titles - {it for it, _ in panel.overridden("unit")})),
    ]


def _fixed(target: Target) -> set[str]:
    """Labels of which the expression takes one value alone."""
    return {*re.findall(r'(\w+)=~?"[\w-]*"', readable(target.expr))}


def _labels(*texts: str) -> list[str]:
    return [name for text in texts for name in LEGEND.findall(text)]


def _selector(query: str) -> str:
    return query.removeprefix("label_values(").rpartition(",")[0]


def parsed(expr: str) -> promql.Expr:
    """Raises ValueError where it is none."""
    return promql.parse(plain(expr))
