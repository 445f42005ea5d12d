"""What answers SDKs: a request is read, counted, and goes on if its project has somewhere to go."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from exporter.limits import Call, Rejected
from exporter.relay.envelope import Envelope, EnvelopeError, Item, TooLargeError
from exporter.relay.sentry.counts import Counts
from exporter.relay.sentry.payloads import read_all
from exporter.relay.sentry.projects import Project, Projects, client_of
from exporter.relay.sentry.scrub import scrubbed, scrubbed_event
from exporter.relay.sentry.upstream import Parcel, Upstream

_KEPT = ("Content-Type", "Content-Encoding", "User-Agent")
"""Headers that go on: of a sender's cookies, credentials and address Sentry learns nothing."""


class Relay:
    """The endpoints' answers. Without `upstream` everything is counted, and nothing goes on."""

    def __init__(self, projects: Projects, counts: Counts, upstream: Upstream | None, *, scrub: bool) -> None:
        self._projects = projects
        self._counts = counts
        self._upstream = upstream
        self._scrub = scrub

    async def envelope(self, call: Call) -> web.Response:
        """`POST /api/<id>/envelope/`, where a DSN that names this listener leads."""
        shown = self._projects.of_key(call.request)
        with _well_formed():
            envelope = Envelope.open(call.inflated)
        return await self._take(call, self._projects.of_envelope(call.request, shown, envelope.dsn), envelope)

    async def tunnel(self, call: Call) -> web.Response:
        """What browsers send to the SDK's `tunnel`."""
        with _well_formed():
            envelope = Envelope.open(call.inflated)
        return await self._take(call, self._projects.of_tunnel(envelope.dsn), envelope)

    async def store(self, call: Call) -> web.Response:
        """`POST /api/<id>/store/`, to which SDKs of before 2020 send a bare event."""
        project = self._projects.of_envelope(call.request, self._projects.of_key(call.request), None)
        with _well_formed():
            found = read_all([Item("event", call.inflated, 0, 0, len(call.inflated))])
            body = scrubbed_event(call.inflated) if self._scrub else None
        self._counts.items(project.name, found)
        url = f"{project.dsn.url.removesuffix('envelope/')}store/"
        return await self._pass_on(call, project, url, ["event"], body)

    async def _take(self, call: Call, project: Project, envelope: Envelope) -> web.Response:
        with _well_formed():
            items = list(envelope.items())
            found = read_all(items)
            body = scrubbed(envelope, items) if self._scrub else None
        self._counts.items(project.name, found)
        return await self._pass_on(call, project, project.dsn.url, [item.kind for item in items], body)

    async def _pass_on(
        self, call: Call, project: Project, url: str, kinds: list[str], rewritten: bytes | None
    ) -> web.Response:
        """Hands over the bytes as they came, or those that were rewritten, with the project's own authentication."""
        if self._upstream is None or not project.forward:
            return web.json_response({})
        headers = {name: call.request.headers[name] for name in _KEPT if name in call.request.headers}
        if rewritten is not None:
            headers.pop("Content-Encoding", None)
        headers["Accept-Encoding"] = "identity"
        headers["X-Sentry-Auth"] = (
            f"Sentry sentry_key={project.dsn.key}, sentry_version=7, sentry_client={client_of(call.request)}"
        )
        body = call.body if rewritten is None else rewritten
        return await self._upstream.forward(project.name, Parcel(url, headers, body, kinds))


@contextmanager
def _well_formed() -> Iterator[None]:
    try:
        yield
    except TooLargeError as error:
        raise Rejected(413, "size", str(error)) from None
    except EnvelopeError as error:
        raise Rejected(400, "body", str(error)) from None
