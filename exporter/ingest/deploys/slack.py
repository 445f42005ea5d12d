"""Slack: a notice of each deploy, through an incoming webhook."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from exporter.config.fields import http_url
from exporter.config.secret import Secret, SecretField
from exporter.ingest.deploys.deploy import Deploy
from exporter.ingest.deploys.way import Way

SHORT = 40
"""Characters from which a field has a line of its own."""


def _checked(webhook: Secret) -> Secret:
    try:
        http_url(webhook.reveal())
    except ValueError:
        raise ValueError("expected the URL of an incoming webhook, as https://hooks.slack.com/... is") from None
    return webhook


WebhookField = Annotated[SecretField, AfterValidator(_checked)]
"""A model's field that holds a webhook's URL, which is a secret as a whole."""


@dataclass(frozen=True)
class Slack:
    """A channel, by its webhook."""

    OF_FAILURES: ClassVar = True
    webhook: Secret

    async def tell(self, deploy: Deploy, way: Way) -> None:
        """Sends the notice, which looks as that of scripts/slack-notice.sh does."""
        await way.post("Slack", self.webhook.reveal(), message(deploy))


def message(deploy: Deploy) -> dict[str, Any]:
    """The notice: a headline, and an attachment with the facts."""
    fields = [{"title": title, "value": _shown(value), "short": len(value) < SHORT} for title, value in deploy.facts]
    colour = "danger" if deploy.failed else "good"
    return {"text": _shown(deploy.headline), "attachments": [{"color": colour, "fields": fields}]}


def _shown(text: str) -> str:
    """Slack obeys <!channel> and the like: such signs are shown instead."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
