"""POST /v1/deploys: a pipeline tells of a deploy, and whoever is configured is told."""

from collections.abc import Iterable, Mapping

import structlog
from aiohttp import web
from pydantic import Field

from exporter.config.fields import Duration
from exporter.config.secret import SecretField
from exporter.ingest.deploys.deploy import Deploy
from exporter.ingest.deploys.grafana import GrafanaAnnotations
from exporter.ingest.deploys.record import Record
from exporter.ingest.deploys.sentry import SentryReleases
from exporter.ingest.deploys.slack import Slack, WebhookField
from exporter.ingest.deploys.telling import FAILED, Teller
from exporter.ingest.deploys.way import Receiver
from exporter.ingest.posted import Malformed, items
from exporter.limits import Access, Call, Endpoint, Given, Rejected, Section, section

log = structlog.get_logger(__name__)


@section("deploys")
class DeploysSection(Section):
    """Deploys, at /v1/deploys: marks on the page, and notices to Slack, Grafana and Sentry."""

    token: SecretField
    """What senders show as `Authorization: Bearer`."""
    app: str = Field("Chatterfy", min_length=1, max_length=50)
    """What is deployed, for people; a sender may say otherwise."""
    slack: WebhookField | None = None
    """The incoming webhook of the channel that is told how each deploy went."""
    grafana: GrafanaAnnotations | None = None
    """Where each deploy becomes an annotation."""
    sentry: SentryReleases | None = None
    """Where each deploy that succeeded becomes a release and a deploy of it."""
    timeout: Duration = 15.0
    """How long telling may take, for all of them together; a busy one (429) is asked again within it."""

    def endpoints(self, given: Given) -> Iterable[Endpoint]:
        """The one endpoint."""
        receivers: Mapping[str, Receiver | None] = {
            "slack": Slack(self.slack) if self.slack else None,
            "grafana": self.grafana,
            "sentry": self.sentry,
        }
        record = Record(given.store, given.environment)
        given.closing.callback(record.clear)
        deploys = _Deploys(self, given, record, Teller(receivers, given.tools, given.store, self.timeout))
        yield Endpoint("deploys", "/v1/deploys", deploys.answer, Access(self.token))


class _Deploys:
    """Takes deploys."""

    def __init__(self, options: DeploysSection, given: Given, record: Record, teller: Teller) -> None:
        self._app = options.app
        self._environment = given.environment
        self._clock = given.tools.clock
        self._record = record
        self._teller = teller

    async def answer(self, call: Call) -> web.Response:
        """Marks the deploy, tells of it, and answers with the outcomes: 502 where one has failed."""
        deploy = self._parsed(call)
        if not self._teller.knows(deploy):
            self._record.note(deploy)
        outcomes = await self._teller.tell(deploy)
        failed = any(outcome.startswith(FAILED) for outcome in outcomes.values())
        say = log.warning if failed else log.info
        say("deploy.told", version=deploy.version, environment=deploy.environment, status=deploy.status, **outcomes)
        return web.json_response(outcomes, status=502 if failed else 200)

    def _parsed(self, call: Call) -> Deploy:
        found = items(call)
        if len(found) != 1:
            raise Rejected(400, "body", "expected one deploy at once")
        try:
            return Deploy.parse(found[0], self._environment, self._app, self._clock.now())
        except Malformed as malformed:
            raise Rejected(400, "body", str(malformed)) from None
