"""Asks a real Prometheus what a dashboard asks, as Grafana would."""

import math
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from tests.support.dashboards.expressions import LEGEND
from tests.support.dashboards.files import Panel, Screen, Target
from tests.support.dashboards.timing import Moments, moments
from tests.support.dashboards.variables import ALL, interpolated

LIMIT = "5s"
"""After which Prometheus gives up a query: nobody waits longer for a panel."""

SCRAPES = 60.0
"""Seconds in which there are some scrapes."""


@dataclass(frozen=True)
class Answer:
    """To one query: series with values, or why there are none."""

    where: str
    series: list[dict[str, Any]]
    error: str = ""
    names: tuple[str, ...] = ()
    """What the series are called in the legend."""

    @property
    def empty(self) -> bool:
        """Whether nobody would see anything."""
        return not any(_numbers(one) for one in self.series)


class Asking:
    """One Prometheus, looked at at one moment; one that is `new` has only watched for minutes."""

    def __init__(self, session: aiohttp.ClientSession, url: str, end: float, *, new: bool = False) -> None:
        self._session = session
        self._url = url
        self._end = end
        self._new = new

    async def variables(self, screen: Screen) -> dict[str, str]:
        """Each one's value for a first visitor; those that have none are left out."""
        values: dict[str, str] = {}
        for variable in screen.variables:
            if variable.kind == "query":
                found = await self._label_values(interpolated(variable.query, values))
                if found:
                    values[variable.name] = ALL if variable.raw.get("includeAll") else found[0]
            elif variable.kind == "constant":
                values[variable.name] = variable.query
        return values

    async def answers(self, screen: Screen) -> AsyncIterator[Answer]:
        """To every query of the variables and of every panel."""
        values = await self.variables(screen)
        for variable in screen.variables:
            if variable.kind == "query" and variable.name not in values:
                yield Answer(f"{screen.name}/${variable.name}", [])
        for panel, target in screen.targets:
            yield await self._answer(screen, panel, target, values)

    async def annotations(self, screen: Screen) -> AsyncIterator[Answer]:
        """To the question behind each mark over the dashboard's range; Grafana asks for them every minute."""
        values = await self.variables(screen)
        panel = Panel({"type": "", "interval": "1m", "gridPos": {"w": 24}})
        for annotation in screen.annotations:
            asked = Panel(panel.raw | {"title": annotation["name"]})
            answer = await self._answer(screen, asked, Target(annotation["target"]), values)
            yield replace(answer, names=())  # several at once may be called the same

    async def _answer(self, screen: Screen, panel: Panel, target: Target, values: dict[str, str]) -> Answer:
        asked = moments(screen, panel, self._end, last=target.instant)
        if self._new and asked.step > SCRAPES:  # perhaps no whole step has come yet: what will it say?
            asked = Moments(self._end, self._end, asked.step, last=True, range=asked.range)
        expr = interpolated(target.expr, values | asked.values)
        where = f"{screen.name}/{panel.title}/{target.ref}"
        series, error = await self._query(expr, asked)
        names = tuple(_name(target.legend, one["metric"]) for one in series) if panel.kind != "table" else ()
        return Answer(where, series, error, names)

    async def _query(self, expr: str, asked: Moments) -> tuple[list[dict[str, Any]], str]:
        parameters = {"query": expr, "timeout": LIMIT}
        if asked.last:
            path, parameters = "query", parameters | {"time": str(asked.end)}
        else:
            times = {"start": str(asked.start), "end": str(asked.end), "step": str(asked.step)}
            path, parameters = "query_range", parameters | times
        async with self._session.post(f"{self._url}/api/v1/{path}", data=parameters) as response:
            reply = await response.json()
        if reply["status"] != "success":
            return [], f"{reply['error']}: {expr}"
        if reply["data"]["resultType"] == "scalar":
            return [{"metric": {}, "value": reply["data"]["result"]}], ""
        return list(reply["data"]["result"]), ""

    async def _label_values(self, query: str) -> list[str]:
        match = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
        assert match, query
        times = {"start": str(self._end - 3600), "end": str(self._end)}
        url = f"{self._url}/api/v1/label/{match[2]}/values"
        async with self._session.get(url, params={"match[]": match[1], **times}) as response:
            return sorted((await response.json())["data"])


def answer_problems(answers: list[Answer], empty: dict[str, str]) -> list[str]:
    """`empty` has those that may have nothing to show, and why."""
    problems = []
    for answer in answers:
        if answer.error:
            problems.append(f"{answer.where}: {answer.error}")
        elif answer.empty and answer.where not in empty:
            problems.append(f"{answer.where}: shows nothing")
        problems += [f"{answer.where}: two series are called {name!r}" for name in _twice(answer.names)]
    return problems


def _numbers(series: dict[str, Any]) -> bool:
    values = series.get("values") or [series["value"]]
    return any(not math.isnan(float(value)) for _, value in values)


def _name(legend: str, labels: dict[str, str]) -> str:
    """Without a legend Grafana writes the labels."""
    return LEGEND.sub(lambda found: labels.get(found[1], ""), legend) if legend else str(labels)


def _twice(names: tuple[str, ...]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
