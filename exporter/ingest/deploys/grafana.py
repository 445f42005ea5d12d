"""Grafana: an annotation for each deploy, which any dashboard can show by its tags."""

from html import escape
from typing import ClassVar

from pydantic import Field

from exporter.config.fields import HttpUrl
from exporter.config.model import Options
from exporter.config.secret import SecretField
from exporter.ingest.deploys.deploy import Deploy
from exporter.ingest.deploys.way import Way


class GrafanaAnnotations(Options):
    """Where annotations go: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/."""

    OF_FAILURES: ClassVar = True
    url: HttpUrl
    """Grafana, such as https://grafana.example.com."""
    token: SecretField
    """The token of a service account that may write annotations."""
    tags: list[str] = Field(default=["deploy"], max_length=10)
    """Tags of every annotation; the environment and the status are tags too."""

    async def tell(self, deploy: Deploy, way: Way) -> None:
        """Adds an annotation of the whole organization at the moment of the deploy."""
        # Grafana shows texts as HTML.
        lines = [deploy.headline, *(f"{title}: {value}" for title, value in deploy.facts if title != "Environment")]
        annotation = {
            "time": round(deploy.at * 1000),
            "tags": [*self.tags, deploy.environment, deploy.status],
            "text": escape("\n".join(lines)),
        }
        await way.post("Grafana", f"{self.url.rstrip('/')}/api/annotations", annotation, self.token)
