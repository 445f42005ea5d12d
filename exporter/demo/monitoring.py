"""Prometheus and Alertmanager in the demo: the real ones with the shipped files, where they are installed."""

import asyncio
import os
import secrets
from pathlib import Path

from exporter.clock import Clock
from exporter.demo import bundle
from exporter.demo.channels import Channels
from exporter.demo.past import remember
from exporter.demo.server import Server

FIRING = "graph?g0.expr=ALERTS&g0.tab=0&g0.range_input=30m"
"""What Prometheus draws in place of a dashboard: which alerts fire, over the last half hour."""


class Monitoring:
    """Both programs, with their files in the demo's folder."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.prometheus = Server(["prometheus"], folder / "prometheus.log")
        self.alertmanager = Server(["alertmanager", "prometheus-alertmanager"], folder / "alertmanager.log")

    @property
    def missing(self) -> list[str]:
        """The programs that are not installed."""
        return [server.name for server in (self.prometheus, self.alertmanager) if not server.installed]

    async def start(self, exporter: str, token: str, channels: Channels, authority: Path) -> None:
        """Starts what is installed, to watch the exporter at this URL; raises ExporterError where one does not start.

        `token` is the exporter's for alerts, `authority` vouches for the mailbox.
        """
        addresses = bundle.Addresses(
            exporter=exporter.removeprefix("http://"),
            prometheus=self.prometheus.address,
            alertmanager=self.alertmanager.address,
            mail=channels.mailbox.address,
            dashboards=channels.site.url,
        )
        bundle.write(self._folder, addresses, bundle.Secrets(channels.webhook, secrets.token_hex(16), token))
        if self.alertmanager.installed:
            # Mail goes over TLS, as everywhere; this variable is how a Go program is told whom to trust.
            environ = os.environ | {"SSL_CERT_FILE": str(authority)}
            alone = "--cluster.listen-address="
            await self.alertmanager.start([*self._files("alertmanager", "--storage.path"), alone], environ, self._clock)
        if self.prometheus.installed:
            await remember(self._clock.now(), self._folder / "prometheus/data")
            channels.dashboards = f"{self.prometheus.url}/{FIRING}"
            await self.prometheus.start(self._files("prometheus", "--storage.tsdb.path"), os.environ, self._clock)

    async def close(self) -> None:
        """Ends both."""
        await asyncio.gather(self.prometheus.close(), self.alertmanager.close())

    def _files(self, name: str, storage: str) -> list[str]:
        folder = self._folder / name
        return [f"--config.file={folder}/{name}.yml", f"{storage}={folder}/data"]
