"""Where alerts arrive in the demo: stand-ins for Slack, a mailbox and Sentry, which show what came on pages."""

import secrets
import ssl
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader

from exporter.clock import Clock
from exporter.demo.mailbox import Mailbox
from exporter.demo.mrkdwn import mrkdwn
from exporter.demo.sentry import ALERTS, APP, Sentry
from exporter.demo.site import Site
from exporter.demo.slack import Slack, colour
from exporter.web.health import timestamp

LARGEST = 1 << 20
"""Bytes of what is posted."""

# What a message leaves out is empty on the page.
_templates = Environment(loader=PackageLoader("exporter.demo"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_templates.filters |= {"mrkdwn": mrkdwn, "timestamp": timestamp, "colour": colour}


class Channels:
    """The three, and the one site that they share. There is no Grafana: a link to a dashboard leads to `dashboards`."""

    def __init__(self, clock: Clock, certificate: ssl.SSLContext) -> None:
        self.slack = Slack(clock)
        self.mailbox = Mailbox(clock, certificate)
        self.sentry = Sentry(clock)
        self.site = Site(self._build)
        self.dashboards = "/"
        """Where Prometheus draws which alerts fire, once it runs."""
        self._key = secrets.token_hex(16)

    @property
    def webhook(self) -> str:
        """Slack's address, which is a secret: who knows it may post."""
        return f"{self.site.url}/services/T0/B0/{self._key}"

    @property
    def dsn(self) -> str:
        """The address of the project in Sentry that alerts go to."""
        return self._dsn_of(ALERTS)

    @property
    def app_dsn(self) -> str:
        """The address of the toy API's own project there."""
        return self._dsn_of(APP)

    def _dsn_of(self, project: str) -> str:
        return f"http://{self._key}@{self.site.url.removeprefix('http://')}/{project}"

    async def start(self) -> None:
        """Starts to listen."""
        await self.mailbox.start()
        await self.site.start()

    async def stop(self) -> None:
        """Closes everything; what came is kept."""
        await self.site.stop()
        await self.mailbox.stop()

    def _build(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/services/{path:.+}", self.slack.post)
        app.router.add_post("/api/{project}/envelope/", self.sentry.post)
        app.router.add_get("/", self._slack_page)
        app.router.add_get("/mail", self._mail_page)
        app.router.add_get("/sentry", self._sentry_page)
        app.router.add_get("/messages", self._messages)
        app.router.add_get("/d/{uid}", self._dashboard)
        return app

    async def _slack_page(self, _: web.Request) -> web.Response:
        return _page("slack.html", entries=list(reversed(self.slack.messages)))

    async def _mail_page(self, _: web.Request) -> web.Response:
        return _page("mail.html", entries=list(reversed(self.mailbox.mails)))

    async def _sentry_page(self, _: web.Request) -> web.Response:
        return _page("sentry.html", entries=self.sentry.all)

    async def _messages(self, _: web.Request) -> web.Response:
        """What came to Slack, newest first, as JSON."""
        return web.json_response([{"at": it.at, **it.payload} for it in reversed(self.slack.messages)])

    async def _dashboard(self, _: web.Request) -> web.Response:
        raise web.HTTPFound(self.dashboards)


def _page(template: str, **values: Any) -> web.Response:
    return web.Response(text=_templates.get_template(template).render(**values), content_type="text/html")
