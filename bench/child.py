"""Programs that the bench starts: pinned to a core, measured from outside, ended by it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

ROOT = Path(__file__).parents[1]
CORES = sorted(os.sched_getaffinity(0))
MEASURED, LOAD = CORES[0], CORES[-1]
"""What is measured has one core to itself; what loads it, and what it asks, share the other (where there is one)."""


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """What is started inside starts on this core, so that Go's runtime, too, counts one; the bench itself leaves it."""
    os.sched_setaffinity(0, CORES if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, {LOAD})


class Child:
    """A program under way, on one core or (None) on all; leaving the `with` block ends it."""

    def __init__(self, *command: str | Path, core: int | None, environ: Mapping[str, str] | None = None) -> None:
        with _on_core(core):
            self._process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env={**os.environ, **(environ or {})},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def facts(self) -> dict[str, Any]:
        """The next line of the program's output, which is JSON; raises RuntimeError when it ended instead."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()}")
        facts: dict[str, Any] = json.loads(line)
        return facts

    def cpu(self) -> float:
        """Seconds of CPU that the process used so far: user and system, all threads, also those that have ended.

        Read from the process' own CPU clock (clock_getcpuclockid(3)), since /proc counts in steps of 10 ms.
        """
        return time.clock_gettime(~self._process.pid << 3 | 2)

    def cpu_during(self, seconds: float) -> float:
        """Seconds of CPU that it uses within this time."""
        before = self.cpu()
        time.sleep(seconds)
        return self.cpu() - before

    def memory(self) -> float:
        """Resident memory in MB."""
        return float(psutil.Process(self._process.pid).memory_info().rss) / 1e6

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what has not ended after ten seconds."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on, for programs that cannot pick one and say which."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def python(module: str, *arguments: str | float | Path, core: int, environ: Mapping[str, str] | None = None) -> Child:
    """A module of this repository, run by the Python that runs the bench."""
    return Child(sys.executable, "-m", module, *map(str, arguments), core=core, environ=environ)
