"""What answers SDKs: a request is read as far as it is counted, and goes on as it came."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from yarl import URL

from exporter.limits import Access, Call, Rejected
from exporter.limits.clients import client_of
from exporter.relay.posthog.answer import sendable
from exporter.relay.posthog.bodies import Posted, read, unwrapped
from exporter.relay.posthog.counts import Counts
from exporter.relay.posthog.routes import Route
from exporter.relay.posthog.upstream import Parcel, Upstream

_KEPT = (
    "Accept", "Accept-Encoding", "Accept-Language", "Content-Encoding", "Content-Type", "If-Modified-Since",
    "If-None-Match", "Origin", "Referer", "User-Agent",
)  # fmt: skip
"""Headers that go on, of a request that has them: no cookies, no credentials, nothing of the connection's."""


@dataclass(frozen=True)
class Hosts:
    """Where requests go on to: everything, and what is loaded by pages."""

    api: URL
    assets: URL


class Proxy:
    """The endpoints' answers. Without `upstream` events are counted, and nothing goes on."""

    def __init__(self, hosts: Hosts, counts: Counts, upstream: Upstream | None, keys: frozenset[str]) -> None:
        self._hosts = hosts
        self._counts = counts
        self._upstream = upstream
        self._keys = keys

    async def answer(self, route: Route, access: Access, call: Call, *, tell_address: bool) -> web.StreamResponse:
        """Reads what the route says of a request, and passes it on."""
        posted = self._read(route, call)
        self._check(route, call, posted.keys)
        if route.reads == "events":
            self._counts.events(posted.events)
        if self._upstream is None:
            return _alone(route)
        parcel = self._parcel(route, call, tell_address=tell_address)
        return await self._upstream.pass_on(parcel, call, access.headers(call.request))

    def _read(self, route: Route, call: Call) -> Posted:
        if route.reads == "events":
            return read(_json(call))
        if route.reads == "key" and self._keys and call.request.method == "POST":
            return read(_json(call), batches=False)
        return Posted((), frozenset())

    def _check(self, route: Route, call: Call, keys: frozenset[str]) -> None:
        """Whether the keys that are shown are among ours; recordings, and scripts for all projects, show none."""
        if not self._keys:
            return
        query = call.request.query
        shown = {*keys, *query.getall("token", ()), *query.getall("api_key", ())}
        if "key" in call.request.match_info:
            shown.add(call.request.match_info["key"])
        if route.reads != "nothing" and not shown:
            raise Rejected(401, "auth", "expected the project's key, as `api_key` or `token`")
        if shown - self._keys:
            raise Rejected(403, "auth", "no project of this key may send here: name it in `keys`")

    def _parcel(self, route: Route, call: Call, *, tell_address: bool) -> Parcel:
        request = call.request
        query = request.rel_url.raw_query_string  # in which the parser lets nothing but ASCII and no spaces through
        host = self._hosts.assets if route.assets else self._hosts.api
        url = URL.build(
            scheme=host.scheme, authority=host.raw_authority, path=route.path(request.match_info), query_string=query,
            encoded=True,
        )  # fmt: skip
        body = call.body if request.method == "POST" else None
        return Parcel(request.method, url, _headers(call, tell_address=tell_address), body)


def _json(call: Call) -> bytes:
    """What was posted, or stands in the query's `data`, as it does in links and pictures."""

    def inflate(body: bytes) -> bytes:
        return Call(call.request, body, call.gate, call.place).inflated

    query, kind = call.request.query, call.request.content_type
    return unwrapped(
        call.inflated or query.get("data", "").encode(errors="replace"),
        query.get("compression", ""),
        inflate,
        form=kind == "application/x-www-form-urlencoded",
    )


def _alone(route: Route) -> web.Response:
    if route.alone is None:
        return web.Response(status=404, text="nothing is here without PostHog: see `forward`\n")
    return web.json_response(route.alone)


def _headers(call: Call, *, tell_address: bool) -> Mapping[str, str]:
    headers = {name: call.request.headers[name] for name in _KEPT if sendable(call.request.headers.get(name, "\n"))}
    address = _address(client_of(call.request, call.gate.options.proxies)) if tell_address else ""
    return headers | ({"X-Forwarded-For": address} if address else {})


def _address(client: str) -> str:
    """The address of a client as the gate names it: of IPv6 it names the /64, which is as near as PostHog must know."""
    return f"{client}::" if client.count(":") == 3 else client
