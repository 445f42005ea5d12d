"""How a command that runs until it is told to stop ends."""

import asyncio
import signal
from collections.abc import Coroutine


async def until_told_to_stop(work: Coroutine[object, object, None]) -> None:
    """Runs it to its end or until SIGINT, SIGTERM or SIGHUP, when it is cancelled; raises what it raises."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    running, waiting = asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    running.cancel()
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()
