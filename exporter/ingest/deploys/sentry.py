"""Sentry: a release for each version, and a deploy of it for each environment it goes to."""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import Field, StringConstraints

from exporter.config.fields import HttpUrl
from exporter.config.model import Options
from exporter.config.secret import SecretField
from exporter.ingest.deploys.deploy import Deploy
from exporter.ingest.deploys.way import Way

Slug = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,100}$")]


class SentryReleases(Options):
    """Where releases and deploys go: https://docs.sentry.io/api/releases/."""

    OF_FAILURES: ClassVar = False
    url: HttpUrl = "https://sentry.io"
    """Sentry, such as https://de.sentry.io or one of your own."""
    organization: Slug
    """The organization's slug."""
    projects: list[Slug] = Field(min_length=1, max_length=50)
    """The slugs of the projects that the release belongs to."""
    token: SecretField
    """A token that may write releases (`org:ci` or `project:releases`)."""

    async def tell(self, deploy: Deploy, way: Way) -> None:
        """Makes the release where there is none yet (Sentry answers 208 where there is), then its deploy."""
        releases = f"{self.url.rstrip('/')}/api/0/organizations/{self.organization}/releases/"
        at = datetime.fromtimestamp(deploy.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        shared = {"projects": self.projects} | ({"url": deploy.url} if deploy.url else {})
        await way.post("Sentry", releases, {"version": deploy.version, "dateReleased": at, **shared}, self.token)
        # An environment of the configuration may have what Sentry takes in none.
        environment = re.sub(r"[/\s]+", "-", deploy.environment)[:64]
        deploys = f"{releases}{quote(deploy.version, safe='')}/deploys/"
        await way.post("Sentry", deploys, {"environment": environment, "dateFinished": at, **shared}, self.token)
