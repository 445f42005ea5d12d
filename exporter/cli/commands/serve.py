"""The command `serve`: the exporter itself."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path

import click

from exporter.app import App
from exporter.cli.options import Field, configured
from exporter.clock import Clock, SystemClock
from exporter.config.fields import address
from exporter.settings import Settings, load


@click.command("serve")
@configured
@click.option(
    "--listen",
    type=Field("address", address),
    help="Serve here instead of the configured address, e.g. 0.0.0.0:9877.",
)
def command(path: Path | None, listen: tuple[str, int] | None) -> None:
    """Run the exporter.

    SIGTERM and SIGINT stop it, SIGHUP reads the configuration again.
    It starts, serves and says why even when every dependency is down.
    """

    def read() -> Settings:
        settings = load(path, os.environ)
        return settings.model_copy(update={"listen": listen}) if listen else settings

    asyncio.run(_serve(read, SystemClock()))


async def _serve(read: Callable[[], Settings], clock: Clock) -> None:
    """Runs the exporter until SIGTERM or SIGINT, and reloads on SIGHUP."""
    # What the imports left behind stays for ever: no collection needs to walk it again (30 ms each, on the event loop).
    gc.freeze()
    app = App(read, clock)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    reloads: set[asyncio.Task[str]] = set()

    def reload() -> None:
        task = asyncio.ensure_future(app.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        await app.start()
        await stop.wait()
    finally:
        await app.close()
