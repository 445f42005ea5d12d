"""Everything that the exporter watches in the demo: started together, broken one by one, gone without a trace."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from exporter.clock import Clock
from exporter.demo.certificate import issue
from exporter.demo.channels import Channels
from exporter.demo.configuration import ENVIRONMENT, configuration
from exporter.demo.connections import transaction
from exporter.demo.courier import Courier
from exporter.demo.database import Database
from exporter.demo.history import Progress, fill
from exporter.demo.outages import Outage
from exporter.demo.posting import Endpoints
from exporter.demo.standins import stand_ins
from exporter.demo.traffic import Traffic

_Act = Callable[[], Awaitable[None]]


class World:
    """A toy Chatterfy and what it depends on, all on loopback, with its files in one temporary folder."""

    def __init__(self, clock: Clock, *, port: int = 0) -> None:
        """Makes the folder, which close() deletes; `port` is where the exporter shall listen, 0 for a free one."""
        self.folder = Path(tempfile.mkdtemp(prefix="chatterfy-demo-"))
        self.authority = self.folder / "ca.pem"
        certificate = issue(self.authority)
        self._port = port
        self._clock = clock
        self._random = Random()  # noqa: S311  (plays users, keeps no secret)
        self._broken: set[Outage] = set()
        self._secrets = {
            "DEMO_STRIPE_KEY": f"sk_test_{secrets.token_hex(12)}",
            "DEMO_S3_ACCESS_KEY": f"AKIA{secrets.token_hex(8).upper()}",
            "DEMO_S3_SECRET_KEY": secrets.token_hex(20),
            "DEMO_ALERTS_TOKEN": secrets.token_hex(20),
            "DEMO_INGEST_TOKEN": secrets.token_hex(20),
        }
        self.database = Database(self.folder)
        self.sites = stand_ins(clock, self._random, self._broken, certificate)
        self.channels = Channels(clock, certificate)
        self._services: dict[Outage, tuple[_Act, _Act]] = {
            Outage.DATABASE: (self.database.stop, self.database.start),
            Outage.HANG: (self.database.freeze, self.database.thaw),
            Outage.API: (self.sites.api.stop, self.sites.api.start),
            Outage.STRIPE: (self.sites.stripe.stop, self.sites.stripe.start),
            Outage.S3: (self.sites.s3.stop, self.sites.s3.start),
        }
        """How to break each, and how to mend it."""
        self._closing = AsyncExitStack()
        self._closing.callback(shutil.rmtree, self.folder)
        self._closing.push_async_callback(self.database.close)
        for site in (self.channels, *self.sites):
            self._closing.push_async_callback(site.stop)

    @property
    def environment(self) -> dict[str, str]:
        """The secrets that the configuration names."""
        return {
            "DEMO_DATABASE_URL": self.database.url,
            "DEMO_WRITER_URL": self.database.writer_url,
            "DEMO_KEEPER_URL": self.database.keeper_url,
            "DEMO_SENTRY_DSN": self.channels.dsn,
            "DEMO_APP_DSN": self.channels.app_dsn,
            "DEMO_SLACK_WEBHOOK": self.channels.webhook,
            **self._secrets,
        }

    @property
    def config(self) -> str:
        """The exporter's configuration, in YAML."""
        return configuration(self._port, self.sites, self.authority)

    async def start(self, progress: Progress) -> None:
        """Starts everything, fills the history, and lets the traffic flow. Raises ExporterError."""
        sites = asyncio.gather(*(site.start() for site in (self.channels, *self.sites)))
        try:
            progress("starting PostgreSQL, Stripe, S3, the web site and the API", 0.0)
            await self.database.start()
            until = datetime.fromtimestamp(self._clock.now(), UTC).replace(tzinfo=None)
            async with transaction(self.database.pool) as connection:
                await fill(connection, until, progress)
            # A database that is stopped at once replays what came after its last checkpoint before it answers again.
            await self.database.pool.execute("CHECKPOINT")
        finally:
            await sites
        self._traffic = Traffic(self.database.pool, self._clock, self._random, self._broken)
        self._closing.push_async_callback(_end, asyncio.create_task(self._traffic.run()))
        progress("ready", 1.0)

    def post_to(self, ingest: str) -> None:
        """From now on the app posts to the exporter's endpoints at this URL what it wrote by itself before."""
        endpoints = Endpoints(
            url=ingest,
            token=self._secrets["DEMO_INGEST_TOKEN"],
            origin=self.sites.web.url,
            dsn=self.channels.app_dsn,
            environment=ENVIRONMENT,
        )
        self._traffic.courier = Courier(endpoints, self._clock, self._random, self._broken)
        self._closing.push_async_callback(_end, asyncio.create_task(self._traffic.courier.run()))

    async def break_(self, outage: Outage) -> None:
        """Breaks one thing until it is mended."""
        self._broken.add(outage)
        if outage in self._services:
            stop, _ = self._services[outage]
            await stop()
        elif outage is Outage.CHURN:
            await self._traffic.churn()

    async def mend(self, outage: Outage) -> None:
        """Brings back what was broken, where it was; subscriptions that were cancelled stay so."""
        self._broken.discard(outage)
        if outage in self._services:
            _, start = self._services[outage]
            await start()

    async def close(self) -> None:
        """Ends everything, also what has only begun to start, and deletes the folder."""
        await self._closing.aclose()


async def _end(task: asyncio.Task[None]) -> None:
    """Cancels the task; what it died of before is raised here."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
