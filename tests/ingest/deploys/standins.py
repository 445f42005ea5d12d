"""Slack, Grafana and Sentry, as far as deploys are told to them: each checks what it gets, and fails when told to."""

import asyncio
import json
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.support.relay import Relaying

TOKEN = "planted-deploys-token"
WEBHOOK = "/services/T000/B000/planted-webhook"
GRAFANA_TOKEN = "planted-grafana-token"
SENTRY_TOKEN = "planted-sentry-token"
ALL = ("slack", "grafana", "sentry")
HANGS = 0
"""The status of an answer that never comes."""


class Standin(ABC):
    """Answers as planned, one after another, and then as it should."""

    def __init__(self) -> None:
        self.url = ""
        self.plan: list[tuple[int, dict[str, str]]] = []
        self.asked = 0
        self.came: list[Any] = []
        self.over = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.asked += 1
        status, headers = self.plan.pop(0) if self.plan else (self.status(request), {})
        if status == HANGS:
            await self.over.wait()
        if 200 <= status <= 299:
            self.came.append(await request.json())
        return web.Response(status=status, headers=headers)

    @abstractmethod
    def status(self, request: web.Request) -> int:
        """What a request gets where no plan says otherwise."""


class Slack(Standin):
    def status(self, request: web.Request) -> int:
        good = request.content_type == "application/json"
        return (200 if good else 400) if request.path == WEBHOOK else 404


class Grafana(Standin):
    def status(self, request: web.Request) -> int:
        if request.headers.get("Authorization") != f"Bearer {GRAFANA_TOKEN}":
            return 401
        return 200 if request.path == "/below/api/annotations" else 404


class Sentry(Standin):
    """Knows a deploy's release only if it was made before."""

    def status(self, request: web.Request) -> int:
        if request.headers.get("Authorization") != f"Bearer {SENTRY_TOKEN}":
            return 403
        match request.path.removeprefix("/api/0/organizations/chatterfy/releases/").split("/"):
            case [""]:
                return 201
            case [version, "deploys", ""] if unquote(version) in {it["version"] for it in self.came if "version" in it}:
                return 201
        return 404


async def told(it: Relaying, deploy: object, token: str = TOKEN) -> tuple[int, Any]:
    """Tells of a deploy; gives the status and the outcomes, or the line where there are none."""
    status, headers, text = await it.post(
        "/v1/deploys", json.dumps(deploy).encode(), Authorization=f"Bearer {token}", Content_Type="application/json"
    )
    return status, json.loads(text) if headers["Content-Type"].startswith("application/json") else text
