"""The status page and each probe's history, as HTML for people and as JSON for everything else."""

from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from exporter.states import Result, State
from exporter.web.health import timestamp
from exporter.web.site import SITE

routes = web.RouteTableDef()

_WIDTH, _HEIGHT, _SHOWN = 160.0, 28.0, 40
_templates = Environment(
    loader=PackageLoader("exporter.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@routes.get("/")
async def overview(request: web.Request) -> web.Response:
    """What is up, since when, and why not."""
    site = request.app[SITE]
    states = sorted(site.probes.values(), key=lambda state: (state.up is not False, not state.critical, state.name))
    values = {"states": states, "tasks": site.tasks.values(), "healthy": site.probes.healthy}
    return page("status.html", request, **values, problems=site.problems())


@routes.get("/probes/{name}.json")
async def history_json(request: web.Request) -> web.Response:
    """A probe's kept results, newest first."""
    state = _state(request)
    results = [
        {**asdict(result), "phases": dict(result.phases), "started": timestamp(result.started)}
        for result in state.history()
    ]
    return web.json_response({"probe": state.name, "kind": state.kind, "results": results})


@routes.get("/probes/{name}")
async def history(request: web.Request) -> web.Response:
    """Why was it down?"""
    return page("probe.html", request, state=_state(request))


def _state(request: web.Request) -> State:
    name = request.match_info["name"]
    state = request.app[SITE].probes.get(name)
    if state is None:
        raise web.HTTPNotFound(reason=f"no probe named {name}" if name.isidentifier() else "no such probe")
    return state


def page(template: str, request: web.Request, **values: Any) -> web.Response:
    """A template with these values, and what every page shows: the environment, the version, how to write a time."""
    site = request.app[SITE]
    now = site.clock.now()
    text = _templates.get_template(template).render(
        **values,
        environment=site.environment(),
        version=site.version,
        ago=lambda moment: ago(now - moment),
        spark=sparkline,
        seconds=seconds,
        timestamp=timestamp,
    )
    return web.Response(text=text, content_type="text/html")


@dataclass(frozen=True)
class Sparkline:
    """Recent latencies as an SVG path, and the places (x) of the runs that failed."""

    path: str
    failures: tuple[float, ...]
    width: float = _WIDTH
    height: float = _HEIGHT


def sparkline(state: State) -> Sparkline:
    """Draws the last forty durations, scaled to the longest of them."""
    results: list[Result] = list(state.results)[-_SHOWN:]
    longest = max((result.duration for result in results), default=0.0) or 1.0
    places = [
        (round((place + 0.5) * _WIDTH / _SHOWN, 1), round(_HEIGHT - 2 - result.duration / longest * (_HEIGHT - 6), 1))
        for place, result in enumerate(results, _SHOWN - len(results))
    ]
    path = "M" + "L".join(f"{x} {y}" for x, y in places) if places else ""
    failures = tuple(x for (x, _), result in zip(places, results, strict=True) if not result.success)
    return Sparkline(path, failures)


def ago(elapsed: float) -> str:
    """A time span in its two largest units: `3 min 20 s`."""
    elapsed = max(0, int(elapsed))
    parts = [(elapsed // 86400, "d"), (elapsed // 3600 % 24, "h"), (elapsed // 60 % 60, "min"), (elapsed % 60, "s")]
    first = next((place for place, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number) or "0 s"


def seconds(duration: float) -> str:
    """A duration as people say it: `3.2 ms`, `1.25 s`, `5 min`."""
    if duration >= 60:
        return ago(duration)
    return f"{duration:.3g} s" if duration >= 1 else f"{duration * 1000:.1f} ms"
