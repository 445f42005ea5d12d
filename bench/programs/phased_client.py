"""Program: bare aiohttp with traced phases and a new connection per request, the floor under a Python HTTP probe."""

import asyncio
import json
import sys
import time
from types import SimpleNamespace

import aiohttp

_TRACED = (
    "on_request_start",
    "on_connection_create_start",
    "on_connection_create_end",
    "on_request_headers_sent",
    "on_request_end",
)


def traces() -> aiohttp.TraceConfig:
    """Notes when each phase begins and ends."""
    config = aiohttp.TraceConfig()
    for name in _TRACED:

        async def note(_: aiohttp.ClientSession, context: SimpleNamespace, __: object, name: str = name) -> None:
            setattr(context, name, time.perf_counter())

        getattr(config, name).append(note)
    return config


async def main(url: str, rate: float, seconds: float) -> None:
    """Probes at this rate for that long; prints the CPU that it took and the number of probes."""
    connector = aiohttp.TCPConnector(force_close=True)
    count = 0

    async def probe() -> None:
        nonlocal count
        async with session.get(url) as response:
            await response.read()
        count += 1

    async with aiohttp.ClientSession(connector=connector, trace_configs=[traces()]) as session:
        await probe()
        begin, used = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                await asyncio.sleep(begin + number / rate - time.perf_counter())
                group.create_task(probe())
        print(json.dumps({"cpu": time.process_time() - used, "count": count - 1}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
