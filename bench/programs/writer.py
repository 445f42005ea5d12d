"""Program: writes messages, each in a transaction of its own, at a steady rate; prints when each was committed."""

import argparse
import asyncio
import json
import time
from itertools import count

import asyncpg

from bench.database import MODELS, USERS, WRITER

CONNECTIONS = 4
INSERT = """
INSERT INTO "Message" ("id", "userId", "content", "provider", "model", "tokens")
VALUES ($1, $2, 'How does it work, and what does it cost?', $3, $4, $5)
"""


async def main(url: str, rate: float, seconds: float) -> None:
    """Prints one line when it is connected, and one with the moments of the commits when it is done."""
    settings = {"application_name": WRITER, "timezone": "UTC"}
    connections = [await asyncpg.connect(url, server_settings=settings) for _ in range(CONNECTIONS)]
    committed: list[float] = []
    numbers = count()
    first = time.time_ns()
    print(json.dumps({"connected": CONNECTIONS}), flush=True)
    begin = time.perf_counter()

    async def write(connection: "asyncpg.Connection[asyncpg.Record]", place: int) -> None:
        insert = await connection.prepare(INSERT)
        due = begin + place / rate
        while due < begin + seconds:
            await asyncio.sleep(due - time.perf_counter())
            number = next(numbers)
            provider, model = MODELS[number % len(MODELS)]
            user = f"user-{number % USERS}"
            await insert.fetch(f"w{first + number}", user, provider, model, number % 1500)
            committed.append(time.perf_counter())
            due += CONNECTIONS / rate

    await asyncio.gather(*(write(connection, place) for place, connection in enumerate(connections)))
    print(json.dumps({"committed": committed}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=3600.0)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.url, chosen.rate, chosen.seconds))
