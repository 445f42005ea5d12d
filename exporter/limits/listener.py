"""The ingest listener: a socket of its own, and what every request passes before its endpoint sees it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import structlog
from aiohttp import web

from exporter.clock import Clock
from exporter.errors import ExporterError
from exporter.limits.access import Access
from exporter.limits.gate import Gate
from exporter.limits.options import LimitsOptions
from exporter.limits.rejected import REJECTED, Rejected
from exporter.metrics.store import Store
from exporter.tools.dial import reason_of

log = structlog.get_logger(__name__)

_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Call:
    """A request that passed: the body as it came, and without its compression."""

    request: web.Request
    body: bytes
    gate: Gate

    @cached_property
    def inflated(self) -> bytes:
        """The body without its compression; raises Rejected."""
        return self.gate.inflated(self.body, self.request.headers.get("Content-Encoding", "").strip().lower())


@dataclass(frozen=True)
class Endpoint:
    """What answers at one path. `name` is its label; `answer` gives a response or raises Rejected."""

    name: str
    path: str
    answer: Callable[[Call], Awaitable[web.StreamResponse]]
    access: Access = field(default_factory=Access)
    methods: Sequence[str] = ("POST",)


class Listener:
    """Serves endpoints on one address; nothing else is there, and nothing of the operator's."""

    def __init__(self, endpoints: Iterable[Endpoint], options: LimitsOptions, store: Store, clock: Clock) -> None:
        self._store = store
        self._gate = Gate(options, clock)
        application = web.Application(client_max_size=options.body, middlewares=[_guard])
        for endpoint in endpoints:
            for method in (*endpoint.methods, "OPTIONS"):
                application.router.add_route(method, endpoint.path, self._passing(endpoint))
        # Bodies stay as they came: what is forwarded must not be changed, and a bomb must not go off in the parser.
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=1.0, auto_decompress=False, keepalive_timeout=options.time
        )

    async def start(self, host: str, port: int) -> str:
        """Listens, and returns the URL; raises ExporterError when the address cannot be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ExporterError(f"ingest.listen: {host}:{port} cannot be had: {reason_of(error)}") from error
        address = self._runner.addresses[0]
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"http://{shown}:{address[1]}"

    async def close(self) -> None:
        """Stops listening, and gives requests under way one second."""
        await self._runner.cleanup()

    def _passing(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                async with self._gate.passage(request):
                    if request.method == "OPTIONS":
                        return endpoint.access.preflight(request, endpoint.methods)
                    endpoint.access.check(request)
                    body = await self._gate.body(request)
                    response = await endpoint.answer(Call(request, body, self._gate))
            except Rejected as rejected:
                response = self._refuse(endpoint, rejected)
            if not response.prepared:
                response.headers.update(endpoint.access.headers(request))
            return response

        return handle

    def _refuse(self, endpoint: Endpoint, rejected: Rejected) -> web.Response:
        self._store.add(REJECTED, endpoint.name, rejected.reason)
        headers = {"Retry-After": str(rejected.retry_after)} if rejected.retry_after else {}
        response = web.Response(text=f"{rejected.message}\n", status=rejected.status, headers=headers)
        if rejected.reason in ("size", "slow"):
            response.force_close()  # what is left of the body is not read
        return response


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answers 500 without details when an endpoint fails, and logs why; what was posted stands in no log."""
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        response = web.Response(text=f"{answer.reason}\n", status=answer.status, headers=answer.headers)
    except Exception as error:  # noqa: BLE001  (the middleware is where everything ends)
        log.error("ingest.failed", path=request.path, error=type(error).__name__)  # noqa: TRY400  (the traceback may quote a body)
        response = web.Response(text="Internal Server Error\n", status=500)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response
