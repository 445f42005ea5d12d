"""A program that serves on this machine: started on a free port, ready when it says so, ended when nobody needs it."""

import asyncio
import shutil
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import aiohttp

from exporter.clock import Clock
from exporter.demo.site import HOST
from exporter.errors import ExporterError, Failed
from exporter.tools import Tools

READY_WITHIN = 60.0
POLL_SECONDS = 0.05


class Server:
    """The first of these programs that is on PATH; it writes what it has to say into `log`."""

    def __init__(self, names: Sequence[str], log: Path) -> None:
        self._program = next(filter(None, map(shutil.which, names)), None)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.name = names[0]
        self.address = f"{HOST}:{_free_port()}"

    @property
    def installed(self) -> bool:
        """Whether one of them is there."""
        return self._program is not None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{self.address}"

    async def start(self, options: Sequence[str], environ: Mapping[str, str], clock: Clock) -> None:
        """Starts it, and waits until `/-/ready` says so; raises ExporterError where that does not come."""
        assert self._program  # noqa: S101  (`installed` says so)
        addresses = (f"--web.listen-address={self.address}", f"--web.external-url={self.url}")
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(self._program, *addresses, *options),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
                start_new_session=True,  # Ctrl-C is for the demo, which then ends everything in order.
            )
        try:
            async with clock.timeout(READY_WITHIN):
                await self._until_ready(self._process, clock)
        except TimeoutError as error:
            raise ExporterError(f"{self.name} is not ready after {READY_WITHIN:g} s: {self._last_word()}") from error

    async def close(self) -> None:
        """Asks it to end, and waits for that. Does nothing where it does not run."""
        if self._process:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    async def _until_ready(self, process: asyncio.subprocess.Process, clock: Clock) -> None:
        async with Tools(clock, str).session() as session:
            while process.returncode is None:
                if await self._is_ready(session):
                    return
                await clock.sleep(POLL_SECONDS)
        raise ExporterError(f"{self.name} ended at once: {self._last_word()}")

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except (Failed, aiohttp.ClientError):
            return False

    def _last_word(self) -> str:
        return (self._log.read_text(encoding="utf-8", errors="replace").splitlines() or ["it says nothing"])[-1]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])
