"""Each check sees the mistake that it is there for."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.dashboards.asking import Answer, answer_problems
from tests.support.dashboards.expressions import GAINED, expression_problems, naming_problems
from tests.support.dashboards.files import Screen, screens
from tests.support.dashboards.form import form_problems, schema_problems
from tests.support.dashboards.links import link_problems, source_problems
from tests.support.dashboards.linter import RULES
from tests.support.dashboards.looks import dress_problems, grid_problems
from tests.support.dashboards.thresholds import compared, objectives, threshold_problems
from tests.support.dashboards.use import unused
from tests.support.dashboards.variables import readable, variable_problems

pytestmark = pytest.mark.fast

Check = Callable[[Screen], list[str]]
Change = Callable[[dict[str, Any]], object]


def linted(rule: str) -> Check:
    return lambda screen: [f"{where}: {problem}" for where, problem in RULES[rule](screen)]


def limited(screen: Screen) -> list[str]:
    return threshold_problems(screen, {})


def box(raw: dict[str, Any], kind: str) -> dict[str, Any]:
    """The first of this kind."""
    return next(it for it in raw["panels"] if it["type"] == kind)


def steps(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the first panel that has a runbook and one limit."""
    panels = [it for it in raw["panels"] if any("${runbooks}" in link.get("url", "") for link in it.get("links", []))]
    found = [panel["fieldConfig"]["defaults"]["thresholds"]["steps"] for panel in panels]
    return next(it for it in found if len(it) == 2)


def of(kind: str, *path: str | int, to: Any = None) -> Change:
    """Sets (or, with `to` None, deletes) what is at this path of the first panel of the kind."""

    def change(raw: dict[str, Any]) -> None:
        it: Any = box(raw, kind) if kind else raw
        for part in path[:-1]:
            it = it[part]
        if to is None:
            del it[path[-1]]
        else:
            it[path[-1]] = to

    return change


def asks(expr: str, legend: str = "") -> Change:
    """Puts this in the place of the first graph's question."""
    return of("timeseries", "targets", 0, to={"refId": "A", "expr": expr, "legendFormat": legend})


def colour(color: str) -> Change:
    return lambda raw: steps(raw)[1].update(color=color)


MISTAKES: dict[str, tuple[Check, Change, str]] = {
    "an option that there is not": (schema_problems, of("stat", "options", "graphmode", to="area"), "graphmode"),
    "a word for a number": (schema_problems, of("stat", "gridPos", "w", to="wide"), "'wide'"),
    "a query string for an annotation": (schema_problems, of("", "annotations", "list", 0, "expr", to="up"), "expr"),
    "another uid": (form_problems, of("", "uid", to="api"), "uid is 'api'"),
    "the newest format": (form_problems, of("", "schemaVersion", to=43), "schemaVersion is 43"),
    "an import's inputs": (form_problems, of("", "__inputs", to=[]), "__inputs"),
    "a number of its own": (form_problems, of("", "id", to=7), "id is for dashboards"),
    "a slow refresh": (form_problems, of("", "refresh", to="5m"), "refresh is '5m'"),
    "a link that loses the time": (form_problems, of("", "links", 0, "keepTime", to=False), "no dropdown"),
    "an end in the past": (form_problems, of("", "time", "to", to="now-1h"), "does not end now"),
    "an id twice": (form_problems, of("stat", "id", to=1), "2 panels have the id 1"),
    "no refId": (form_problems, of("stat", "targets", 0, "refId", to=""), "refId '' twice"),
    "a data source to fill in": (form_problems, of("stat", "datasource", "uid", to="${DS_PROMETHEUS}"), "${DS_...}"),
    "a variable that there is not": (variable_problems, asks('up{job=~"$jobs"}'), "$jobs is not defined"),
    "a variable that nothing uses": (
        variable_problems,
        lambda raw: raw["templating"]["list"].append({"name": "zone", "type": "custom", "query": "a,b"}),
        "$zone is never used",
    ),
    "a variable too late": (variable_problems, lambda raw: raw["templating"]["list"].reverse(), "not stand before it"),
    "all that is nothing": (
        variable_problems,
        lambda raw: raw["templating"]["list"][-2].update(type="query", name="it", query="label_values(up, job)"),
        "not the values of the label it",
    ),
    "a metric that there is not": (expression_problems, asks("chatterfy_user"), "no series is named chatterfy_user"),
    "a label that there is not": (expression_problems, asks('chatterfy_users{plan="pro"}'), "there is no label plan"),
    "a value that there is not": (
        expression_problems,
        asks('rate(chatterfy_http_request_duration_seconds_bucket{le=~"2"}[1m])'),
        "has no le='2'",
    ),
    "no PromQL": (expression_problems, asks("sum(up) offset 2m"), "offset modifier"),
    "a counter as it is": (expression_problems, asks("sum(chatterfy_messages_total)"), "a counter as it is is shown"),
    "a difference that is not exact": (
        expression_problems,
        asks("sum(chatterfy_messages_total) - sum(chatterfy_messages_total offset 1d)"),
        "a counter as it is on a side of -",
    ),
    "a rate of a gauge": (expression_problems, asks("rate(chatterfy_users[$__rate_interval])"), "rate() of a gauge"),
    "a mark of a label that is gone": (
        naming_problems,
        of("", "annotations", "list", 0, "titleFormat", to="{{name}}"),
        "no label name",
    ),
    "a legend's label that is gone": (naming_problems, asks("sum(chatterfy_orgs)", "{{plan}}"), "names labels that"),
    "names that are the same": (naming_problems, asks("sum by (plan) (chatterfy_orgs)", "orgs"), "differ in plan"),
    "a column that is gone": (
        naming_problems,
        lambda raw: box(raw, "table")["transformations"][2]["options"]["renameByName"].update({"Value #Z": "p99"}),
        "there is no field Value #Z",
    ),
    "a title that no column has": (
        naming_problems,
        lambda raw: box(raw, "table")["options"].update(sortBy=[{"displayName": "Rate", "desc": True}]),
        "there is no column Rate",
    ),
    "a column that comes as it is": (
        naming_problems,
        lambda raw: box(raw, "table")["transformations"].pop(1),
        "the field Time is shown without a title",
    ),
    "a value that nobody sees": (
        naming_problems,
        lambda raw: box(raw, "table")["transformations"][1]["options"]["include"]["names"].remove("Value #B"),
        "the value of B is not shown",
    ),
    "an overlap": (grid_problems, of("stat", "gridPos", "w", to=5), "overlaps or leaves a gap on its left"),
    "a gap": (grid_problems, of("stat", "gridPos", "w", to=3), "overlaps or leaves a gap on its left"),
    "a line too wide": (
        grid_problems,
        lambda raw: [it for it in raw["panels"] if it["type"] == "stat"][-1]["gridPos"].update(w=5),
        "the line ends at column 25",
    ),
    "a gap above": (grid_problems, of("stat", "gridPos", "y", to=2), "leaves a gap above"),
    "another height": (grid_problems, of("stat", "gridPos", "h", to=9), "as high as its neighbours"),
    "another order": (grid_problems, lambda raw: raw["panels"].reverse(), "the order in which they are read"),
    "a unit that there is not": (dress_problems, of("stat", "fieldConfig", "defaults", "unit", to="sec"), "unit 'sec'"),
    "no unit": (dress_problems, of("stat", "fieldConfig", "defaults", "unit"), "unit ''"),
    "no description": (dress_problems, of("stat", "description"), "its description is no sentence"),
    "a title twice": (
        dress_problems,
        lambda raw: box(raw, "timeseries").update(title=box(raw, "stat")["title"]),
        "stands 2 times",
    ),
    "nothing for nothing": (dress_problems, of("stat", "fieldConfig", "defaults", "noValue"), "where there is nothing"),
    "no legend": (dress_problems, of("timeseries", "options", "legend", "showLegend", to=False), "has no legend"),
    "a legend without numbers": (
        dress_problems,
        of("timeseries", "options", "legend", "displayMode", to="table"),
        "no table of calculations",
    ),
    "a number of no kind": (dress_problems, of("stat", "options", "reduceOptions", "calcs", to=["p95"]), "which value"),
    "a data source by name": (source_problems, of("stat", "datasource", to="Prometheus"), "asks Prometheus"),
    "a link to nowhere": (link_problems, of("stat", "links", to=[{"url": "/d/chatterfy-apis"}]), "no dashboard"),
    "a link that forgets": (link_problems, of("stat", "links", to=[{"url": "/d/chatterfy-api"}]), "loses the time"),
    "a link with a choice that is none": (
        link_problems,
        of("stat", "links", to=[{"url": "/d/chatterfy-api?${__url_time_range}&var-plan=pro"}]),
        "gives plan, which is no choice there",
    ),
    "a runbook that there is not": (
        link_problems,
        of("stat", "links", to=[{"url": "${runbooks}/ErrorShareHi"}]),
        "there is no runbook",
    ),
    "another threshold": (limited, lambda raw: steps(raw)[1].update(value=0.06), "nothing says that 0.06 is the limit"),
    "a threshold too few": (limited, lambda raw: steps(raw).pop(), "no colour changes where"),
    "red where it is good": (limited, lambda raw: steps(raw).__setitem__(0, {"color": "red", "value": None}), "is bad"),
    "green where it is bad": (limited, colour("green"), "green is bad, green is good"),
    "two data sources": (
        linted("template-datasource-rule"),
        lambda raw: raw["templating"]["list"].append({"name": "logs", "type": "datasource"}),
        "not precisely one data source",
    ),
    "a choice that is no query": (
        linted("template-label-promql-rule"),
        lambda raw: raw["templating"]["list"][1].update(query="label_values(up{, environment)"),
        "cannot be asked",
    ),
    "a choice that stands still": (
        linted("template-on-time-change-reload-rule"),
        lambda raw: raw["templating"]["list"][1].update(refresh=1),
        "stand still",
    ),
    "one data source for ever": (
        linted("panel-datasource-rule"),
        of("stat", "datasource", "uid", to="chatterfy-prometheus"),
        "the data source that is chosen",
    ),
    "no title": (linted("panel-title-description-rule"), of("stat", "title"), "no title"),
    "a panel without a unit": (linted("panel-units-rule"), of("stat", "fieldConfig", "defaults", "unit"), "no unit"),
    "no question": (linted("panel-no-targets-rule"), of("stat", "targets", to=[]), "asks nothing"),
    "logs": (linted("target-logql-rule"), of("stat", "targets", 0, "datasource", "type", to="loki"), "Loki"),
    "half an expression": (linted("target-promql-rule"), asks("sum(up"), "A is no PromQL"),
    "a fixed range": (linted("target-rate-interval-rule"), asks("rate(chatterfy_users[5m])"), "fit the width"),
    "a total": (linted("target-counter-agg-rule"), asks("chatterfy_messages_total"), "messages_total as it is"),
    "a dashboard to edit": (linted("uneditable-dashboard"), of("", "editable", to=True), "can be edited"),
}


@pytest.fixture
def api() -> Screen:
    """It has a bit of everything."""
    return next(screen for screen in screens() if screen.name == "api").changed()


@pytest.mark.parametrize(("check", "change", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_seen(api, check, change, problem):
    before = Counter(check(api))

    change(api.raw)

    assert problem in "; ".join(Counter(check(Screen(api.name, api.raw))) - before)


@pytest.mark.parametrize("label", ["job", "instance"])
def test_the_linter_s_choices_of_job_and_instance_would_be_recognised(api, label):
    chosen = {"name": label, "type": "query", "label": label.title(), "multi": True, "allValue": ".+"}
    assert linted(f"template-{label}-rule")(api) == [f"{label}: cannot be chosen"]
    assert len(linted(f"target-{label}-rule")(api)) == len(api.targets)

    api.raw["templating"]["list"].append(chosen)
    asks(f'up{{{label}=~"${label}"}}')(api.raw)

    changed = Screen(api.name, api.raw)
    assert linted(f"template-{label}-rule")(changed) == []
    assert len(linted(f"target-{label}-rule")(changed)) == len(api.targets) - 1


def test_every_check_sees_a_mistake():
    seen = {check for check, _, _ in MISTAKES.values()}

    assert {
        schema_problems, form_problems, variable_problems, expression_problems, naming_problems, grid_problems,
        dress_problems, source_problems, link_problems, limited,
    } <= seen  # fmt: skip


def test_the_exact_difference_is_recognised_and_nothing_like_it():
    now = 'sum by (plan) (max without (instance) (x_total{a="b"}))'
    then = 'sum by (plan) (max without (instance) (x_total{a="b"} offset 1d))'
    every = 'sum(max without (instance) (x_total{a="b"} offset 1d))'
    exact = f"{now} - ({then} or (0 * {now} and on () {every}) or min_over_time(({now})[1d:5m]))"

    assert GAINED.fullmatch(exact)
    for part, other in (("offset 1d", "offset 2d"), ("[1d:5m]", "[2d:5m]"), ("0 *", "1 *"), ("by (plan)", "by (a)")):
        assert not GAINED.fullmatch(exact.replace(part, other, 1)), part
    assert not GAINED.fullmatch(exact[::-1].replace("latot_x", "latot_y", 1)[::-1])


def test_numbers_that_alerts_compare_with_are_found():
    assert compared("a > 0.05 and b >= 10") == {(">", 0.05), (">=", 10)}
    assert compared("a > on (slo) group_left () 14.4 * b") == {(">", 14.4)}
    assert compared("time() - a > 3 * b + 60") == {(">", 3)}
    assert compared("(a - time()) / 86400 < 7") == {("<", 7)}
    assert objectives() == {"percentunit": {0.999, 0.95, 0.001, 0.05}, "s": {2}}


def test_what_is_on_no_dashboard_is_told():
    assert "chatterfy_orgs" in unused([])
    assert "environment:chatterfy_up:min" not in unused([])


def test_variables_in_words_of_grafana_are_replaced():
    text = 'a{b=~"$plan", c="${plan:regex}", d="[[plan]]"}[$__rate_interval] $1'

    assert readable(text) == 'a{b=~".*", c=".*", d=".*"}[5m] $1'


def test_answers_that_nobody_would_see_are_told():
    def problems(*series: tuple[str, ...], error: str = "", names: tuple[str, ...] = ()) -> Iterator[str]:
        found = [{"metric": {}, "values": [[1, value] for value in values]} for values in series]
        yield from answer_problems([Answer("it", found, error, names)], {"other": "why"})

    assert list(problems()) == ["it: shows nothing"]
    assert list(problems(("NaN", "NaN"))) == ["it: shows nothing"]
    assert list(problems(("NaN", "1"))) == []
    assert list(problems(error="query timed out")) == ["it: query timed out"]
    assert list(problems(("1",), ("2",), names=("a", "a"))) == ["it: two series are called 'a'"]
    assert answer_problems([Answer("it", [])], {"it": "nothing failed"}) == []
