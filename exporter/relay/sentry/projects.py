"""Who sends: the project whose DSN a request shows, in the ways that SDKs show it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

from exporter.limits import Rejected, Visitors
from exporter.sentry import CLIENT, Dsn

_KEY = re.compile(r"\bsentry_key=([^,\s]+)")
_CLIENT = re.compile(r"\bsentry_client=([A-Za-z0-9._/+-]{1,100})(?:[,\s]|$)")


@dataclass(frozen=True)
class Project:
    """A project that may send: its name is a label, and its DSN is where it goes on to if `forward`."""

    name: str
    dsn: Dsn
    forward: bool

    @property
    def number(self) -> str:
        """The project's id at Sentry."""
        return project_of(self.dsn)


def project_of(dsn: Dsn) -> str:
    """The project's id, which a DSN's URL has in `/api/<id>/envelope/`."""
    return dsn.url.split("/")[-3]


class Projects:
    """The projects that may send; whoever shows none of their DSNs is refused, whatever host a DSN names."""

    def __init__(self, projects: Iterable[Project]) -> None:
        self._by_key = {(project.number, project.dsn.key): project for project in projects}

    def of_key(self, request: web.Request) -> Project | None:
        """Of a request to `/api/<id>/...` whose key is in X-Sentry-Auth or the query; None where there is none."""
        shown = _KEY.search(request.headers.get("X-Sentry-Auth", ""))
        key = shown[1] if shown else request.query.get("sentry_key")
        return None if key is None else self._known(request.match_info["project"], key)

    def of_envelope(self, request: web.Request, shown: Project | None, dsn: object) -> Project:
        """Of such a request whose envelope may name a `dsn`; where it also has shown a key, both must mean the same.

        Sentry refuses an envelope whose `dsn` has another id or key than the request, and does not look at the host.
        """
        named = _parsed(dsn)
        if named is None:
            if shown is None:
                raise Rejected(401, "auth", "expected the project's key: in X-Sentry-Auth, `sentry_key` or a `dsn`")
            return shown
        project = self._known(project_of(named), named.key)
        if project.number != request.match_info["project"] or project != (shown or project):
            raise Rejected(403, "auth", "the envelope's `dsn` is that of another project")
        return project

    def _known(self, number: str, key: str) -> Project:
        project = self._by_key.get((number, key))
        if project is None:
            raise Rejected(403, "auth", "no project of this id and key may send here: name its DSN in `projects`")
        return project

    def of_tunnel(self, dsn: object) -> Project:
        """Of a request to the tunnel: the DSN is in the envelope alone, and must be one of ours to the letter."""
        named = _parsed(dsn)
        if named is None:
            raise Rejected(401, "auth", "expected the project's DSN as `dsn` in the envelope's header")
        project = self._known(project_of(named), named.key)
        if project.dsn != named:
            raise Rejected(403, "auth", "this DSN's host is not the one that the project has in `projects`")
        return project


class Senders(Visitors):
    """Servers and pages; all of them show a DSN."""

    def headers(self, request: web.Request) -> Mapping[str, str]:
        """As any endpoint's, and what lets a page's SDK see that it shall send less."""
        return {**super().headers(request), "Access-Control-Expose-Headers": "X-Sentry-Rate-Limits, Retry-After"}


def client_of(request: web.Request) -> str:
    """The SDK's name and version as it says; ours where it says none."""
    said = _CLIENT.search(request.headers.get("X-Sentry-Auth") or f"sentry_client={request.query.get('sentry_client')}")
    return said[1] if said and said[1] != "None" else CLIENT


def _parsed(dsn: object) -> Dsn | None:
    try:
        return Dsn.parse(dsn) if isinstance(dsn, str) else None
    except ValueError:
        return None
