"""Whether links and data sources lead somewhere."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.dashboards.files import Panel, Screen, screens
from tests.support.runbooks import RUNBOOKS

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
ALERT = "${runbooks}/${__value.raw}"
"""Leads to the runbook of the alert that a cell names."""


def source_problems(screen: Screen) -> list[str]:
    """Everything asks the data source that is chosen."""
    found = [(panel.title, panel.raw.get("datasource")) for panel in screen.panels]
    found += [(f"{panel.title} {target.ref}", target.raw.get("datasource")) for panel, target in screen.targets]
    found += [(it["name"], it.get("datasource")) for it in screen.annotations]
    found += [(f"${it.name}", it.raw.get("datasource")) for it in screen.variables if it.kind == "query"]
    return [f"{where}: asks {source}" for where, source in found if source != SOURCE]


def link_problems(screen: Screen) -> list[str]:
    """Each leads to a shipped dashboard, with time and choices, or to a runbook that is there."""
    problems = []
    for panel in screen.panels:
        for url in panel.links:
            found = _runbook_problems(panel, url) if url.startswith("${runbooks}/") else _dashboard_problems(url)
            problems += [f"{panel.title}: {problem}" for problem in found]
    return problems


def runbook_links(panel: Panel) -> list[str]:
    """The alerts whose runbooks the panel leads to."""
    return [url.rpartition("/")[2] for url in panel.links if url.startswith("${runbooks}/") and url != ALERT]


def _runbook_problems(panel: Panel, url: str) -> Iterator[str]:
    if url == ALERT:
        titles = panel.transformed("organize").get("renameByName", {})
        columns = [option for option, links in panel.overridden("links") for link in links if link["url"] == ALERT]
        yield from (f"{it} does not name an alert" for it in columns if it != titles.get("alertname"))
    elif url.rpartition("/")[2] not in RUNBOOKS:
        yield f"there is no runbook {url}"


def _dashboard_problems(url: str) -> Iterator[str]:
    address = urlsplit(url)
    match = re.fullmatch(r"/d/([\w-]+)", address.path)
    there = _choices()
    if address.netloc or match is None or match[1] not in there:
        yield f"there is no dashboard {url}"
        return
    parts = address.query.split("&")
    named = {name.removeprefix("var-") for name, _ in parse_qsl(address.query) if name.startswith("var-")}
    named |= {found[1] for part in parts if (found := re.fullmatch(r"\${(\w+):queryparam}", part))}
    if "${__url_time_range}" not in parts:
        yield f"{url} loses the time"
    if "${__all_variables}" not in parts:
        yield from (f"{url} loses the {name}" for name in ("datasource", "environment") if name not in named)
    elif named:
        yield f"{url} gives {', '.join(sorted(named))} twice"
    yield from (f"{url} gives {name}, which is no choice there" for name in sorted(named - there[match[1]]))


@cache
def _choices() -> dict[str, set[str]]:
    """Variables by the uid of what is shipped."""
    return {str(it.raw["uid"]): {variable.name for variable in it.variables} for it in screens()}


def chosen_by_default(screen: Screen) -> Any:
    """The data source's uid that is chosen at first."""
    return next(it.raw["current"]["value"] for it in screen.variables if it.kind == "datasource")
