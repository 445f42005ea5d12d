"""The section of the configuration that alerts have."""

from exporter.config.model import Options
from exporter.config.secret import SecretField
from exporter.sentry import DsnField


class AlertsOptions(Options):
    """What Alertmanager sends to `POST /v1/alerts`: to Sentry, and to a metric that says that the way here works."""

    token: SecretField
    """The bearer token that Alertmanager shows."""
    sentry: DsnField | None = None
    """The DSN of the project that gets the messages; without it the one of the section `sentry`, and without either
    alerts are only counted."""
