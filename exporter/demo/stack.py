"""The demo's parts put together: the world, the exporter that watches it, and who watches the exporter."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from exporter.app import App
from exporter.clock import Clock
from exporter.demo.history import Progress
from exporter.demo.monitoring import Monitoring
from exporter.demo.world import World
from exporter.settings import load

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Stack:
    """All of it, up."""

    world: World
    app: App
    monitoring: Monitoring

    @property
    def urls(self) -> dict[str, str | None]:
        """Where everything is; None for what is not installed, or not there yet."""
        servers = self.monitoring.prometheus, self.monitoring.alertmanager
        return {
            "exporter": self.app.url,
            "metrics": f"{self.app.url}/metrics",
            "ingest": self.app.ingest_url,
            **{server.name: server.url if server.installed else None for server in servers},
            "slack": self.world.channels.site.url,
        }


@asynccontextmanager
async def started(clock: Clock, progress: Progress, *, port: int = 0) -> AsyncIterator[Stack]:
    """Starts everything, up to the first result of each probe, and ends it without a trace. Raises ExporterError."""
    async with AsyncExitStack() as closing:
        world = World(clock, port=port)
        closing.push_async_callback(world.close)
        await world.start(progress)
        file = world.folder / "config.yml"
        file.write_text(world.config, encoding="utf-8")
        environ = os.environ | world.environment
        app = App(lambda: load(file, environ), clock)
        closing.push_async_callback(app.close)
        await app.start()
        world.post_to(app.ingest_url)
        monitoring = Monitoring(world.folder, clock)
        closing.push_async_callback(monitoring.close)
        await monitoring.start(app.url, environ["DEMO_ALERTS_TOKEN"], world.channels, world.authority)
        while not app.probes.ready:
            await clock.sleep(POLL_SECONDS)
        await app.page.refresh()
        yield Stack(world, app, monitoring)
