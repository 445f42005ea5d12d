"""Blocking libraries, run in threads that cannot hold anyone up."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


def in_thread(function: Callable[[], Result], name: str) -> asyncio.Future[Result]:
    """Runs `function` in a daemon thread of its own; the future ends with its result or its exception.

    A thread cannot be cancelled. A pool's hung threads would starve other work and keep the process from ending;
    a daemon thread does neither. Whoever starts one shields the future, keeps it, and starts no second while it hangs.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def deliver(result: Result | None, error: Exception | None) -> None:
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error it is a Result

    def work() -> None:
        try:
            result, error = function(), None
        except Exception as raised:  # noqa: BLE001  (carried over to whoever awaits the future)
            result, error = None, raised
        with suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future


class OneByOne:
    """Blocking calls that may not overlap: each in a thread, and the next begins when the one before has ended.

    Whoever waits for a call may be cancelled. A thread cannot be: the call goes on, and the next one waits for its end.
    """

    def __init__(self, name: str, after: Callable[[], None] = lambda: None) -> None:
        """`after` runs on the event loop when a call has ended well, even where nobody waits for it any more."""
        self._name = name
        self._after = after
        self._lock = asyncio.Lock()

    async def run(self, function: Callable[[], Result]) -> Result:
        """The function's result; raises what it raises."""
        return await asyncio.shield(asyncio.create_task(self._run(function)))

    async def _run(self, function: Callable[[], Result]) -> Result:
        async with self._lock:
            result = await asyncio.shield(in_thread(function, self._name))
        self._after()
        return result
