"""Program: watches the page, and prints how old results were when they first stood on it."""

import asyncio
import json
import re
import sys
import time

import aiohttp

_TIMES = re.compile(
    r"^(chatterfy_probe_last_run_timestamp_seconds\{.*\}|bench_refreshed_timestamp_seconds) (\S+)$", re.MULTILINE
)
_POLL = 0.1


async def main(url: str, seconds: float) -> None:
    """Watches for that long."""
    seen: dict[str, str] = {}
    ages: list[float] = []
    until = time.time() + seconds
    async with aiohttp.ClientSession() as session:
        while time.time() < until:
            async with session.get(url) as response:
                page = await response.text()
            now = time.time()
            for series, value in _TIMES.findall(page):
                if seen.get(series, value) != value:
                    ages.append(now - float(value))
                seen[series] = value
            await asyncio.sleep(_POLL)
    ages.sort()
    print(json.dumps({"results": len(ages), "median": ages[len(ages) // 2], "oldest": ages[-1]}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
