"""Blocking work in threads of its own."""

import asyncio
import threading

import pytest

from exporter.tools import in_thread

pytestmark = pytest.mark.fast


async def test_a_function_runs_in_a_thread_of_its_own_that_keeps_no_process_alive():
    thread = await in_thread(threading.current_thread, "worker")

    assert (thread.name, thread.daemon) == ("worker", True)


async def test_an_exception_reaches_whoever_waits():
    with pytest.raises(ValueError, match="no number"):
        await in_thread(lambda: int("no number"), "worker")


async def test_the_loop_goes_on_while_a_function_blocks():
    gate = threading.Event()
    waiting = in_thread(gate.wait, "worker")
    gate.set()

    assert await waiting


def test_a_result_that_comes_when_the_loop_is_gone_is_dropped():
    gate = threading.Event()

    async def start() -> None:
        in_thread(gate.wait, "late worker")

    loop = asyncio.new_event_loop()
    loop.run_until_complete(start())
    loop.close()
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "late worker"]
    gate.set()
    thread.join(5)

    assert not thread.is_alive()
