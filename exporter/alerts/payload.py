"""What Alertmanager posts to a webhook: version 4 of its JSON, as much of it as is used here.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field
from pydantic_core import from_json

from exporter.config.model import Options, build
from exporter.config.reader import Document
from exporter.config.secret import Sources
from exporter.errors import ConfigError

_LONGEST = 300
"""Characters of a message: it may quote what was posted."""


class _Posted(Options):
    """Unlike in a configuration, unknown keys are none of our business: they come with newer versions."""

    model_config = ConfigDict(extra="ignore")


class Alert(_Posted):
    """One alert, as it stands."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: str = Field(alias="startsAt")
    generator_url: str = Field("", alias="generatorURL")
    fingerprint: str

    @property
    def name(self) -> str:
        """What the alert is called; Alertmanager also takes one that has no name."""
        return self.labels.get("alertname", "an alert without a name")


class Notification(_Posted):
    """What one request brings: the alerts of a group."""

    version: Literal["4"]
    external_url: str = Field("", alias="externalURL")
    alerts: list[Alert]


def parse(body: bytes) -> Notification:
    """Reads a request's body; the ValueError says in one line where it is not as it should be, and what would be."""
    try:
        # Unlike the standard library's, this parser refuses lone surrogates and what is nested too deeply.
        data = from_json(body)
    except ValueError as error:
        raise ValueError(f"body: not JSON: {error}") from error
    try:
        return build(Notification, Document(data, "body"), Sources({}, Path()))
    except ConfigError as error:
        raise ValueError(str(error.problems[0]).replace("\n", " ")[:_LONGEST]) from error
