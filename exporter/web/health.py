"""Health for load balancers, deploy scripts and people: answered from results at hand, never by asking anew."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from exporter.states import State
from exporter.web.site import SITE

routes = web.RouteTableDef()

_GROUPS = {"database": "postgres", "stripe": "stripe", "s3": "s3"}
"""The names of the checks in the app's own health JSON, and the kinds of probe that answer for them."""
_ADMIN_NAMES = {"db": "postgres", "stripe": "stripe", "s3": "s3"}
_MIB = 1024 * 1024
_PAGE = os.sysconf("SC_PAGE_SIZE")
_GROUPS_FOLDER = Path("/sys/fs/cgroup")


def word(up: bool | None) -> str:  # noqa: FBT001  (a state, not a switch)
    """A state in the words of the health JSON."""
    return {True: "healthy", False: "unhealthy", None: "unknown"}[up]


def worst(states: Iterable[State]) -> bool | None:
    """Down if any is down, unknown if any is unknown or there is none, else up."""
    ups = [state.up for state in states]
    return False if False in ups else None if None in ups or not ups else True


@routes.get("/health")
async def health(request: web.Request) -> web.Response:
    """All probes at a glance; 503 only while a critical one is down."""
    site = request.app[SITE]
    board = site.probes
    checks: dict[str, Any] = {
        group: word(worst(states)) for group, kind in _GROUPS.items() if (states := board.of_kind(kind))
    }
    checks["memory"] = memory()
    body = {
        "timestamp": timestamp(site.clock.now()),
        "status": "healthy" if board.healthy else "unhealthy",
        "checks": checks,
        "probes": {state.name: details(state) for state in board.values()},
    }
    return web.json_response(body, status=200 if board.healthy else 503)


@routes.get("/ready")
async def ready(request: web.Request) -> web.Response:
    """200 once every probe has a first result, so that what the other endpoints say is known."""
    board = request.app[SITE].probes
    waiting = [state.name for state in board.values() if state.last is None]
    return web.json_response({"ready": board.ready, "waiting_for": waiting}, status=200 if board.ready else 503)


@routes.get("/admin/health/{name}")
async def admin_health(request: web.Request) -> web.Response:
    """One dependency: `db`, `stripe` and `s3` answer for the worst probe of the kind, any other name for that probe."""
    board, name = request.app[SITE].probes, request.match_info["name"]
    states = board.of_kind(_ADMIN_NAMES[name]) if name in _ADMIN_NAMES else []
    states = states or [state for state in board.values() if state.name == name]
    if not states:
        return web.json_response({"error": f"no probe named {name!r}", "probes": sorted(board)}, status=404)
    up = worst(states)
    body = {"status": word(up), "probes": {state.name: details(state) for state in states}}
    return web.json_response(body, status=200 if up else 503)


@routes.post("/-/reload")
async def reload(request: web.Request) -> web.Response:
    """Reads the configuration again; a bad one changes nothing and answers with its problems."""
    problems = await request.app[SITE].reload()
    return web.Response(text=problems or "reloaded\n", status=422 if problems else 200)


def details(state: State) -> dict[str, Any]:
    """A probe for people and scripts: no free text, which could carry what a dependency was sent."""
    last = state.last
    known = (
        {}
        if last is None
        else {
            "since": timestamp(state.since or last.started),
            "checked": timestamp(last.started),
            "seconds": round(last.duration, 4),
            "permitted": last.permitted,
            **({"reason": last.reason} if last.reason else {}),
        }
    )
    return {"kind": state.kind, "status": word(state.up), "critical": state.critical, **known}


def timestamp(seconds: float) -> str:
    """Epoch seconds as JavaScript's toISOString writes them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def memory() -> dict[str, int]:
    """Resident memory and its limit, in MiB: the control group's limit, or the machine's memory where that is less."""
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    return {"usage": round(resident / _MIB), "limit": round(min(_limits()) / _MIB)}


def _limits() -> Iterator[int]:
    yield os.sysconf("SC_PHYS_PAGES") * _PAGE
    group = Path("/proc/self/cgroup").read_text(encoding="utf-8").strip().rpartition("::/")[2]
    # Version 2 (own group, and as a container sees itself), then version 1; `max` and absent files set no limit.
    for path in (f"{group}/memory.max", "memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            yield int((_GROUPS_FOLDER / path).read_text(encoding="ascii"))
