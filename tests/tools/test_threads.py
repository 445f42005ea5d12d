"""Blocking work in threads of its own."""

import asyncio
import threading

import pytest

from exporter.tools import OneByOne, in_thread

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


async def test_calls_do_not_overlap_though_whoever_waits_for_one_is_cancelled():
    gate, ended = threading.Event(), []
    calls = OneByOne("worker", after=lambda: ended.append("well"))
    first = asyncio.create_task(calls.run(gate.wait))
    second = asyncio.create_task(calls.run(gate.is_set))
    await asyncio.sleep(0)

    first.cancel()
    await asyncio.wait([second], timeout=0.2)
    early = second.done()
    gate.set()

    assert (early, await second, first.cancelled()) == (False, True, True)
    assert ended == ["well", "well"]


async def test_a_call_that_fails_ends_and_lets_the_next_begin():
    ended = []
    calls = OneByOne("worker", after=lambda: ended.append("well"))

    with pytest.raises(ValueError, match="no number"):
        await calls.run(lambda: int("no number"))

    assert await calls.run(lambda: 5) == 5
    assert ended == ["well"]
