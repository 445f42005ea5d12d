"""Stripe, played by localstripe."""

import warnings

from aiohttp import web

with warnings.catch_warnings():  # Aiohttp deprecates the way in which localstripe declares its routes.
    warnings.simplefilter("ignore")
    from localstripe import server

# Every change would otherwise be written to a file in the machine's temp folder, and stay there.
server.store.dump_to_disk = lambda: None


def build_stripe() -> web.Application:
    """A copy of localstripe's application, which itself can run only once in a process, with the account added."""
    app = web.Application(middlewares=[server.error_middleware, server.auth_middleware])
    for route in server.app.router.routes():
        app.router.add_route(route.method, route.resource.canonical, route.handler)
    app.router.add_get("/v1/account", _account)
    return app


async def _account(_: web.Request) -> web.Response:
    account = {"id": "acct_demo", "object": "account", "charges_enabled": True, "payouts_enabled": True}
    return web.json_response(account)
