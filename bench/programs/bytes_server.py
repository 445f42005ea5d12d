"""Program: an aiohttp handler that sends bytes from memory, the floor under every Python exporter's scrape."""

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web


async def main(body: bytes, headers: dict[str, str]) -> None:
    """Serves these bytes with these headers at /metrics; prints the URL."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes(), json.loads(sys.argv[2])))
