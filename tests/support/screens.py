"""Small dashboards in the JSON of Grafana's classic model, and a Prometheus with an hour of data for them."""

import json
import math
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.programs import program
from tests.support.prometheus import prometheus

MOMENT = 1_795_489_500
"""The end of the hour: 2026-11-24T03:05:00Z."""

_LAST = {"reduceOptions": {"calcs": ["lastNotNull"]}}
_UP = {"type": "value", "options": {"0": {"text": "down", "color": "red"}, "1": {"text": "up", "color": "green"}}}


def target(expr: str, ref: str = "A", **more: Any) -> dict[str, Any]:
    return {"refId": ref, "expr": expr, "range": not more.get("instant"), **more}


def panel(kind: str, title: str, *targets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "title": title, "targets": list(targets), "options": _LAST, **more}


EVERY_KIND = (
    panel("stat", "Stat", target('requests_per_second{environment="$environment"}')),
    panel("gauge", "Gauge", target("max(requests_per_second)", instant=True)),
    panel("bargauge", "Bars", target("requests_per_second", instant=True, legendFormat="{{endpoint}}")),
    panel("piechart", "Pie", target("requests_per_second", instant=True, legendFormat="{{endpoint}}")),
    panel("timeseries", "Graph", target('sum(rate(answers_bucket{le="+Inf"}[$__rate_interval]))'), timeFrom="30m"),
    panel(
        "table", "Table", *(target("requests_per_second", ref, format="table", instant=True) for ref in "AB"),
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {"Value #A": "Requests"}}},
        ],
    ),
    panel("state-timeline", "States", target("probe_up"), fieldConfig={"defaults": {"mappings": [_UP]}}),
    panel("heatmap", "Heat", target("sum by (le) (rate(answers_bucket[$__rate_interval]))", format="heatmap")),
    {"type": "text", "title": "Text", "options": {"mode": "markdown", "content": "In **$environment**"}},
    panel("stat", "Only $endpoint", target('requests_per_second{endpoint=~"$endpoint"}'), repeat="endpoint"),
)  # fmt: skip


def screen(*panels: dict[str, Any]) -> str:
    """The panels below each other, with variables and an annotation."""
    places = ({"id": i, "gridPos": {"x": 0, "y": 6 * i, "w": 12, "h": 6}} for i in range(len(panels)))
    return json.dumps({
        "title": "Screen",
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [
            {"name": "environment", "type": "query", "query": {"query": "label_values(probe_up, environment)"}},
            {"name": "endpoint", "type": "query", "query": "label_values(requests_per_second, endpoint)", "multi": True,
             "includeAll": True, "current": {"text": "All", "value": "$__all"}},
        ]},
        "annotations": {"list": [
            {"name": "Outages", "enable": True, "iconColor": "red", "target": {"expr": "1 - probe_up", "refId": "A"}}
        ]},
        "panels": [place | panel for panel, place in zip(panels, places, strict=True)],
    })  # fmt: skip


@asynccontextmanager
async def filled_prometheus(folder: Path) -> AsyncIterator[str]:
    """Gives its URL."""
    source = folder / "hour.om"
    source.write_text("\n".join([*_samples(), "# EOF", ""]))
    blocks = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(source), str(folder / "data")]
    subprocess.run(blocks, check=True, capture_output=True)
    async with prometheus(folder, "127.0.0.1:1") as server:
        await server.until("vector(1)")
        yield server.url


def _samples() -> Iterator[str]:
    times = range(MOMENT - 3600, MOMENT + 1, 15)
    yield "# TYPE requests_per_second gauge"
    for i, endpoint in enumerate(("/v1/chat", "/v1/models")):
        for at in times:
            value = 10 * (i + 1) + 5 * math.sin(at / 500 + i)
            yield f'requests_per_second{{environment="production",endpoint="{endpoint}"}} {value:.3f} {at}'
    yield "# TYPE probe_up gauge"
    for at in times:
        yield f'probe_up{{environment="production"}} {int(not 1200 < MOMENT - at < 1800)} {at}'
    yield "# TYPE answers histogram"
    for i, at in enumerate(times):
        for share, le in ((0.3, "0.1"), (0.9, "1.0"), (1, "+Inf")):
            yield f'answers_bucket{{le="{le}"}} {int(i * 60 * share)} {at}'
        yield f"answers_count {i * 60} {at}"
        yield f"answers_sum {i * 30} {at}"
