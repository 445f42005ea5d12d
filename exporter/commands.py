"""What the commands do when they are more than a line: serve, probe, health."""

import asyncio
import gc
import signal
from collections.abc import Callable
from difflib import get_close_matches

import aiohttp

from exporter.app import App
from exporter.clock import Clock
from exporter.errors import ConfigError, Failed, Problem
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.probes.base import ProbeJob
from exporter.schedule import attempt
from exporter.settings import Settings
from exporter.telemetry import configure_logs
from exporter.tools import Tools


async def serve(read: Callable[[], Settings], clock: Clock) -> None:
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


async def probe(settings: Settings, name: str, clock: Clock) -> tuple[str, bool]:
    """Runs one probe once; returns what it did and whether it succeeded. Raises ConfigError for an unknown name."""
    options = settings.probes.get(name)
    if options is None:
        near = get_close_matches(name, settings.probes, n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(sorted(settings.probes)) or 'none'}"
        raise ConfigError([Problem("", "", f"no probe named '{name}' ({advice})")])
    configure_logs("debug", settings.log.format, settings.redact)
    store = Store(settings.limits.series_per_metric)
    job = ProbeJob(name, options, Tools(clock, settings.redact), store)
    job.settle(await attempt(job, clock))
    result = job.state.results[-1]
    lines = [f"{phase:<10} {seconds * 1000:10.2f} ms" for phase, seconds in result.phases]
    lines.append(f"{'whole run':<10} {result.duration * 1000:10.2f} ms")
    verdict = "succeeded" if result.success else f"failed: {result.reason}"
    lines.append(f"{name} ({options.kind}) {verdict}{f': {result.detail}' if result.detail else ''}")
    page = Page(store)
    await page.refresh()
    await options.close()
    return "\n".join(lines) + "\n\n" + page.text.plain.decode(), result.success


async def health(url: str, deadline: float, interval: float, clock: Clock, say: Callable[[str], None]) -> bool:
    """Asks a health endpoint until it answers 200 or the deadline (seconds) is over; says why not when that changes."""
    until = clock.monotonic() + deadline
    said = ""
    async with Tools(clock, str).session() as session:
        while True:
            answer = await _ask(session, url, max(0.1, min(5.0, until - clock.monotonic())))
            if answer == "healthy":
                say(f"{url}: healthy")
                return True
            if answer != said:
                say(f"{url}: {answer}")
                said = answer
            if clock.monotonic() + interval >= until:
                say(f"{url}: not healthy within {deadline:g} s")
                return False
            await clock.sleep(interval)


async def _ask(session: aiohttp.ClientSession, url: str, limit: float) -> str:
    """`healthy`, or why it is not."""
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=limit)) as response:
            if response.status == 200:
                return "healthy"
            is_json = response.content_type == "application/json"
            return f"status {response.status}{_reasons(await response.json()) if is_json else ''}"
    except TimeoutError:
        return "no answer in time"
    except Failed as failure:
        return f"no answer ({failure.reason}: {failure.detail})"
    except (aiohttp.ClientError, ValueError) as error:
        return f"no answer ({type(error).__name__})"


def _reasons(body: object) -> str:
    """What the exporter's own health JSON says of the probes that are down."""
    probes = body.get("probes") if isinstance(body, dict) else None
    if not isinstance(probes, dict):
        return ""
    down = [f"{name} ({facts.get('reason')})" for name, facts in probes.items() if facts.get("status") == "unhealthy"]
    return f": down: {', '.join(down)}" if down else ""
