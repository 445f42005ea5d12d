"""Options that several commands take."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from exporter.config.fields import base_url, duration


class Field(click.ParamType[Any]):
    """An option that is written as the configuration writes it."""

    def __init__(self, name: str, parse: Callable[[object], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The parsed value, or the parser's own message."""
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = Field("duration", duration)
PATH = click.Path(path_type=Path)
URL = Field("url", base_url)

configured = click.option(
    "--config",
    "path",
    envvar="CHATTERFY_CONFIG",
    type=PATH,
    help="The configuration file (YAML). Without one, what the environment names is watched: DATABASE_URL, "
    "STRIPE_SECRET_KEY, S3_BUCKET, APP_URL, API_URL, SENTRY_DSN.",
)
