"""What the page shows of deploys."""

from exporter.ingest.deploys.deploy import STATUSES, Deploy
from exporter.metrics.catalogue import Metric, Sample
from exporter.metrics.labels import Places
from exporter.metrics.store import Store

KEPT = 10
"""Versions of one environment that are on the page: the last that were deployed."""
ENVIRONMENTS = 10
"""Environments, besides the exporter's own, that have a name; the rest is `other`."""

DEPLOYED = Metric(
    "chatterfy_deploy_timestamp_seconds",
    "gauge",
    "When a version was last deployed successfully, in seconds since 1970; the last 10 of each environment since the "
    "exporter's start or a change of its section `ingest`, set at every deploy.",
    ("version", "environment"),
)
DEPLOYS = Metric(
    "chatterfy_deploys_total",
    "counter",
    "Deploys by how they ended; counted when one is told of, and once when it is told of again within a minute.",
    ("environment", "status"),
)


class Record:
    """The last deploys, and how many there were."""

    def __init__(self, store: Store, environment: str) -> None:
        self._store = store
        self._places = Places(store, (environment,), ENVIRONMENTS)
        self._deployed: dict[str, dict[str, float]] = {}
        self._expect(environment)

    def note(self, deploy: Deploy) -> None:
        """Puts a deploy on the page."""
        environment = self._places.value(DEPLOYS, deploy.environment)
        self._expect(environment)
        self._store.add(DEPLOYS, environment, deploy.status)
        if deploy.failed:
            return
        versions = self._deployed.setdefault(environment, {})
        versions.pop(deploy.version, None)
        versions[deploy.version] = deploy.at
        if len(versions) > KEPT:
            del versions[next(iter(versions))]
        self._store.replace(
            "deploys",
            [
                Sample(DEPLOYED, (version, name), at)
                for name, moments in self._deployed.items()
                for version, at in moments.items()
            ],
        )

    def clear(self) -> None:
        """Takes the last deploys off the page."""
        self._store.replace("deploys", ())

    def _expect(self, environment: str) -> None:
        for status in STATUSES:
            self._store.add(DEPLOYS, environment, status, amount=0)
