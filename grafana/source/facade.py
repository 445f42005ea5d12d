"""What a dashboard is made of, in this project's words; the only module that knows the SDK.

A dashboard is data: rows of panels, which flow from left to right over 24 columns. Everything that all of them share
(ids, the data source, links, variables, annotations, how a threshold looks) is said once, here; hence its length.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    piechart,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale
from grafana_foundation_sdk.models.piechart import PieChartLegendValues, PieChartType
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from typing_extensions import override

from grafana.source.promql import ENVIRONMENT

TAG = "chatterfy"
COLUMNS = 24
GREEN, ORANGE, RED, BLUE, GREY, PURPLE = "green", "orange", "red", "blue", "#8e8e99", "purple"
SOURCE = kinds.DataSourceRef(type_val="prometheus", uid="${datasource}")
NOTHING = {"1h": "known after an hour", "1d": "known after midnight, UTC"}
"""What stands in a panel that has nothing to show yet, by the distance of its points: they stand at whole steps."""
JUST_ABOVE_ZERO = 1e-9
STATE = {1: ("up", GREEN), 0: ("down", RED)}


@dataclass(frozen=True)
class Query:
    """An expression, what its series are called, and whether only its last value is asked for."""

    expr: str
    legend: str = ""
    last: bool = False


@dataclass(frozen=True)
class Limit:
    """From which value on it is bad: an alert's threshold, or an objective's, of which there is no alert."""

    value: float
    alert: str = ""
    color: str = ORANGE


@dataclass(frozen=True)
class Column:
    """How a table shows one field."""

    title: str
    unit: str = "string"
    width: int | None = None
    limits: Sequence[Limit] = ()
    bad_below: bool = False
    states: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    decimals: int | None = None
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel(ABC):
    """What every kind of panel has."""

    title: str
    about: str
    queries: Sequence[Query]
    unit: str
    width: int
    limits: Sequence[Limit] = ()
    bad_below: bool = False
    """Whether a value is bad below its limits, and not above them."""
    good: str = GREEN
    """The colour of what is within its limits."""
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    nothing: str = "no data"
    """What stands there when there is nothing to show."""
    states: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    """What a value is called, and its colour."""
    colors: Mapping[str, str] = field(default_factory=dict)
    """Colours of series whose name matches a regular expression."""
    more: str = ""
    """The dashboard that shows more of it."""
    step: str = ""
    """The shortest distance of two points."""

    @abstractmethod
    def builder(self) -> Any:
        """The SDK's builder, with what is special to this kind."""

    def targets(self) -> Iterator[Any]:
        """The queries."""
        for name, query in zip(ascii_uppercase, self.queries, strict=False):
            target = prometheus.Dataquery().expr(query.expr).ref_id(name).datasource(SOURCE).legend_format(query.legend)
            yield target.instant() if query.last else target.range()

    def links(self) -> Iterator[Any]:
        """To the dashboard that shows more, and to the runbooks of the alerts that guard it."""
        if self.more:
            where = f"/d/chatterfy-{self.more}?${{__url_time_range}}&${{__all_variables}}"
            yield build.DashboardLink(f"More: {self.more}").type(model.DashboardLinkType.LINK).url(where)
        for alert in dict.fromkeys(limit.alert for limit in self.limits if limit.alert):
            yield runbook(alert)

    def dressed(self, identity: int, position: model.GridPos) -> Any:
        """The builder with all that is common to every kind."""
        panel = self.builder().id(identity).grid_pos(position).title(self.title).description(self.about)
        panel = panel.datasource(SOURCE).targets(list(self.targets())).links(list(self.links()))
        panel = panel.unit(self.unit).no_value(NOTHING.get(self.step, self.nothing)).mappings(_mappings(self.states))
        panel = panel.thresholds(_thresholds(self.limits, self.bad_below, self.good))
        for pattern, color in self.colors.items():
            panel = panel.override_by_regexp(
                f"/{pattern}/", [_property("color", {"mode": "fixed", "fixedColor": color})]
            )
        given = {"decimals": self.decimals, "min": self.minimum, "max": self.maximum, "interval": self.step or None}
        for name, value in given.items():
            panel = panel if value is None else getattr(panel, name)(value)
        return panel


@dataclass(frozen=True, kw_only=True)
class Stat(Panel):
    """One number, or one for each series."""

    line: bool = False
    """Whether the way here is drawn behind it."""
    filled: bool = False
    """Whether the colour fills the panel: for states."""
    reduce: str = "lastNotNull"

    @override
    def builder(self) -> Any:
        values = common.ReduceDataOptions().calcs([self.reduce])
        panel = stat.Panel().reduce_options(values).justify_mode(kinds.BigValueJustifyMode.CENTER)
        panel = panel.graph_mode(kinds.BigValueGraphMode.AREA if self.line else kinds.BigValueGraphMode.NONE)
        panel = panel.color_mode(kinds.BigValueColorMode.BACKGROUND if self.filled else kinds.BigValueColorMode.VALUE)
        return panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))


@dataclass(frozen=True, kw_only=True)
class Graph(Panel):
    """Lines over time."""

    stacked: bool = False
    bars: bool = False
    fill: int = 12
    calcs: Sequence[str] = ("mean", "max", "lastNotNull")
    """What the legend says of each line; with none of them it is a list of names."""
    logarithmic: bool = False
    minimum: float | None = 0

    @override
    def builder(self) -> Any:
        legend = common.VizLegendOptions().show_legend(True).placement(kinds.LegendPlacement.BOTTOM)
        shape = kinds.LegendDisplayMode.TABLE if self.calcs else kinds.LegendDisplayMode.LIST
        panel = timeseries.Panel().legend(legend.display_mode(shape).calcs(list(self.calcs)))
        order = kinds.SortOrder.DESCENDING
        panel = panel.tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(order))
        panel = panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        panel = panel.draw_style(kinds.GraphDrawStyle.BARS if self.bars else kinds.GraphDrawStyle.LINE)
        panel = panel.fill_opacity(80 if self.bars else 30 if self.stacked else self.fill).line_width(1)
        panel = panel.show_points(kinds.VisibilityMode.NEVER)
        if self.stacked:
            panel = panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A"))
        if self.logarithmic:
            log = common.ScaleDistributionConfig().type(kinds.ScaleDistribution.LOG).log(10)
            panel = panel.scale_distribution(log)
        if self.limits:
            dashed = kinds.GraphThresholdsStyleMode.DASHED
            panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(dashed))
        return panel


@dataclass(frozen=True, kw_only=True)
class Ranking(Panel):
    """Bars beside each other, for what is compared now."""

    @override
    def builder(self) -> Any:
        values = common.ReduceDataOptions().calcs(["lastNotNull"])
        panel = bargauge.Panel().reduce_options(values).orientation(kinds.VizOrientation.HORIZONTAL)
        return panel.display_mode(kinds.BarGaugeDisplayMode.BASIC).color_scheme(
            build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)
        )


@dataclass(frozen=True, kw_only=True)
class Share(Panel):
    """A ring: what belongs to whom."""

    @override
    def builder(self) -> Any:
        legend = piechart.PieChartLegendOptions().show_legend(True).placement(kinds.LegendPlacement.RIGHT)
        legend = legend.display_mode(kinds.LegendDisplayMode.TABLE)
        legend = legend.values([PieChartLegendValues.VALUE, PieChartLegendValues.PERCENT])
        values = common.ReduceDataOptions().calcs(["lastNotNull"])
        panel = piechart.Panel().legend(legend).reduce_options(values).pie_type(PieChartType.DONUT)
        return panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))


@dataclass(frozen=True, kw_only=True)
class Timeline(Panel):
    """A strip for each series, coloured by its state."""

    @override
    def builder(self) -> Any:
        panel = statetimeline.Panel().show_value(kinds.VisibilityMode.NEVER).row_height(0.8).fill_opacity(85)
        legend = common.VizLegendOptions().show_legend(True).placement(kinds.LegendPlacement.BOTTOM)
        panel = panel.legend(legend.display_mode(kinds.LegendDisplayMode.LIST))
        return panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))


@dataclass(frozen=True, kw_only=True)
class Heatmap(Panel):
    """How many observations fell into which bucket, over time."""

    @override
    def builder(self) -> Any:
        colors = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(64)
        panel = heatmap.Panel().calculate(False).cell_gap(0).color(colors.scale(HeatmapColorScale.EXPONENTIAL))
        panel = panel.y_axis(heatmap.YAxisConfig().unit(self.unit).axis_placement(kinds.AxisPlacement.LEFT))
        return panel.cell_values(heatmap.CellValues().unit("reqps"))

    @override
    def targets(self) -> Iterator[Any]:
        for target in super().targets():
            yield target.format(PromQueryFormat.HEATMAP)


@dataclass(frozen=True, kw_only=True)
class Table(Panel):
    """A row for each label set; `columns` says in which order which fields are shown, by Grafana's name of them."""

    columns: Mapping[str, Column]
    sort: str = ""
    """The title of the column by which it is sorted, largest first."""

    @override
    def builder(self) -> Any:
        titles = {name: column.title for name, column in self.columns.items()}
        order = {name: place for place, name in enumerate(self.columns)}
        panel = table.Panel().cell_height(kinds.TableCellHeight.SM).filterable(True)
        for name, options in (
            ("merge", {}),
            ("filterFieldsByName", {"include": {"names": list(self.columns)}}),
            ("organize", {"excludeByName": {}, "indexByName": order, "renameByName": titles}),
        ):
            panel = panel.with_transformation(model.DataTransformerConfig(id_val=name, options=options))
        if self.sort:
            panel = panel.sort_by([common.TableSortByFieldState().display_name(self.sort).desc(True)])
        for column in self.columns.values():
            panel = panel.override_by_name(column.title, list(_column(column)))
        return panel

    @override
    def links(self) -> Iterator[Any]:
        yield from super().links()
        own = {limit.alert for limit in self.limits}
        alerts = [limit.alert for column in self.columns.values() for limit in column.limits]
        yield from (runbook(alert) for alert in dict.fromkeys(alerts) if alert and alert not in own)

    @override
    def targets(self) -> Iterator[Any]:
        for target in super().targets():
            yield target.format(PromQueryFormat.TABLE)


@dataclass(frozen=True)
class Row:
    """A heading, and panels of one height below it."""

    title: str
    height: int
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Variable:
    """A choice at the top: the values that a metric's label has."""

    name: str
    metric: str

    def builder(self) -> Any:
        """For the SDK; all but the environment may be several at once, and are all of them at first."""
        known = f"{self.metric}{{{ENVIRONMENT}}}" if self.name != "environment" else self.metric
        variable = build.QueryVariable(self.name).label(self.name.capitalize()).datasource(SOURCE)
        question = f"label_values({known}, {self.name})"
        variable = variable.query({"query": question, "refId": self.name}).definition(question)
        variable = variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        variable = variable.sort(model.VariableSort.ALPHABETICAL_ASC)
        if self.name == "environment":
            return variable
        every = model.VariableOption(selected=True, text=["All"], value=["$__all"])
        return variable.multi(True).include_all(True).all_value(".*").current(every)


@dataclass(frozen=True)
class Dashboard:
    """A screen; its name is the end of its address, /d/chatterfy-NAME."""

    name: str
    title: str
    about: str
    since: str
    """How far back it looks at first, such as 6h."""
    variables: Sequence[Variable]
    rows: Sequence[Row]

    def json(self, runbooks: str) -> str:
        """The classic JSON, which Grafana reads from a file; `runbooks` is the address of the runbooks' folder."""
        screen = build.Dashboard(self.title).uid(f"chatterfy-{self.name}").description(self.about).tags([TAG])
        screen = screen.readonly().refresh("30s").time(f"now-{self.since}", "now").timezone("browser").version(1)
        screen = screen.tooltip(model.DashboardCursorSync.CROSSHAIR)
        for variable in self._variables(runbooks):
            screen = screen.with_variable(variable)
        for annotation in _annotations():
            screen = screen.annotation(annotation)
        others = (
            build.DashboardLink("Dashboards").type(model.DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True)
        )
        screen = screen.link(others.keep_time(True).include_vars(True))
        built = screen.build()
        built.panels = list(self._panels())
        for shown in (*(built.links or ()), *(built.annotations.list_val or ())):
            shown.placement = None  # the SDK's default would hide them in a menu
        return JSONEncoder(sort_keys=True, indent=2).encode(built) + "\n"

    def _variables(self, runbooks: str) -> Iterator[Any]:
        first = model.VariableOption(selected=True, text="Prometheus", value="chatterfy-prometheus")
        yield build.DatasourceVariable("datasource").label("Data source").type("prometheus").current(first)
        yield Variable("environment", "chatterfy_build_info").builder()
        yield from (variable.builder() for variable in self.variables)
        yield build.ConstantVariable("runbooks").value(runbooks)

    def _panels(self) -> Iterator[Any]:
        numbers = count(1)
        top = 0
        for row in self.rows:
            heading = build.Row(row.title).id(next(numbers)).build()
            heading.grid_pos = model.GridPos(h=1, w=COLUMNS, x=0, y=top)
            yield heading
            top += 1
            left = 0
            for panel in row.panels:
                if left + panel.width > COLUMNS:
                    left, top = 0, top + row.height
                where = model.GridPos(h=row.height, w=panel.width, x=left, y=top)
                drawn = panel.dressed(next(numbers), where).build()
                if isinstance(panel, Table):
                    drawn.options.footer = None  # which current Grafana has no more
                yield drawn
                left += panel.width
            top += row.height


def alone(dashboard: str, variable: str) -> str:
    """A link for a cell: the dashboard for this cell's value alone, and all else as it is chosen."""
    kept = "${datasource:queryparam}&${environment:queryparam}&${__url_time_range}"
    return f"/d/chatterfy-{dashboard}?{kept}&var-{variable}=${{__value.raw:percentencode}}"


def runbook(alert: str) -> Any:
    """A link to what to do when this alert fires."""
    return (
        build.DashboardLink(f"Runbook: {alert}")
        .type(model.DashboardLinkType.LINK)
        .url(f"${{runbooks}}/{alert}")
        .target_blank(True)
    )


def _annotations() -> Iterator[Any]:
    firing = 'ALERTS{environment=~"$environment|", severity="critical", alertstate="firing"}'
    question = prometheus.Dataquery().expr(f"max by (alertname) ({firing})").ref_id("Anno").interval("1m")
    marks = build.AnnotationQuery().name("Critical alerts").datasource(SOURCE).enable(True).icon_color(RED)
    yield marks.target(question).title_format("{{alertname}}")
    # The value is the moment itself: a mark stands where the deploy was, however far apart the points are.
    deployed = f"max by (version) (chatterfy_deploy_timestamp_seconds{{{ENVIRONMENT}}}) * 1000"
    question = prometheus.Dataquery().expr(deployed).ref_id("Anno").interval("1m")
    marks = build.AnnotationQuery().name("Deploys").datasource(SOURCE).enable(True).icon_color(PURPLE)
    yield marks.target(question).title_format("{{version}} deployed").use_value_for_time(True)


def _thresholds(limits: Sequence[Limit], bad_below: bool, good: str) -> Any:  # noqa: FBT001  (a panel's own field)
    ordered = sorted(limits, key=lambda limit: limit.value)
    if bad_below and ordered:
        colors = [limit.color for limit in ordered] + [good]
        steps = [model.Threshold(value=None, color=colors[0])]
        steps += [model.Threshold(limit.value, color) for limit, color in zip(ordered, colors[1:], strict=True)]
    else:
        # A step begins at its value, where an alert for `> 0` is still quiet.
        ordered = [limit if limit.value else Limit(JUST_ABOVE_ZERO, limit.alert, limit.color) for limit in ordered]
        steps = [model.Threshold(value=None, color=good)]
        steps += [model.Threshold(value, color) for value, color in {it.value: it.color for it in ordered}.items()]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def _mappings(states: Mapping[int, tuple[str, str]]) -> list[Any]:
    if not states:
        return []
    options = {
        str(value): model.ValueMappingResult(text=text, color=color, index=place)
        for place, (value, (text, color)) in enumerate(states.items())
    }
    return [model.ValueMap(options=options)]


def _column(column: Column) -> Iterator[Any]:
    yield _property("unit", column.unit)
    yield _property("noValue", "–")  # noqa: RUF001  (a dash, as tables have it)
    if column.decimals is not None:
        yield _property("decimals", column.decimals)
    if column.width:
        yield _property("custom.width", column.width)
    if column.states:
        yield _property("mappings", _mappings(column.states))
    if column.states or column.limits:
        yield _property("custom.cellOptions", {"type": "color-text"})
    if column.limits:
        steps = _thresholds(column.limits, column.bad_below, GREEN).build()
        yield _property("thresholds", steps)
        yield _property("color", {"mode": "thresholds"})
    if column.url:
        yield _property("links", [{"title": column.title, "url": column.url, "targetBlank": False}])


def _property(name: str, value: object) -> Any:
    return model.DynamicConfigValue(id_val=name, value=value)
