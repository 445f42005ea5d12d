"""S3, played by moto."""

import asyncio

from aiohttp import web
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

BUCKET = "demo"


def build_s3() -> web.Application:
    """Moto's WSGI application behind aiohttp: its own server keeps old connections open when it is stopped."""
    moto = DomainDispatcherApplication(create_backend_app)

    async def forward(request: web.Request) -> web.Response:
        answer = await asyncio.to_thread(
            Client(moto).open,
            request.raw_path,
            method=request.method,
            headers=list(request.headers.items()),
            data=await request.read(),
        )
        return web.Response(status=answer.status_code, headers=answer.headers.items(), body=answer.data)

    async def make_bucket(_: web.Application) -> None:
        await asyncio.to_thread(Client(moto).put, f"/{BUCKET}")

    app = web.Application()
    app.on_startup.append(make_bucket)
    app.router.add_route("*", "/{path:.*}", forward)
    return app
