"""Program: an aiohttp handler that parses the events of a body and counts them, in memory alone."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import prometheus_client
from aiohttp import web

Event = dict[str, Any]


def by_name() -> Callable[[Event], None]:
    """Counts in a dictionary, by name: the least that can be done."""
    counts: Counter[str] = Counter()

    def count(event: Event) -> None:
        counts[event["event"]] += 1

    return count


def by_labels() -> Callable[[Event], None]:
    """Counts what can be shown on a page, by name, and by provider and model."""
    events = prometheus_client.Counter("bench_events", "Events.", ["event"])
    tokens = prometheus_client.Counter("bench_tokens", "Tokens.", ["provider", "model"])

    def count(event: Event) -> None:
        data = event["data"]
        events.labels(event["event"]).inc()
        tokens.labels(data["provider"], data["model"]).inc(data["tokens"])

    return count


async def main(count: Callable[[Event], None]) -> None:
    """Takes events at /v1/events; prints the URL."""

    async def events(request: web.Request) -> web.Response:
        for event in json.loads(await request.read()):
            count(event)
        return web.json_response({}, status=202)

    application = web.Application()
    application.router.add_post("/v1/events", events)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(by_labels() if "--labels" in sys.argv else by_name()))
