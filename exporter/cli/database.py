"""What the commands about the app's own database have in common: where it is, and a way to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from exporter.business.daily import DailyOptions
from exporter.business.options import DatabaseOptions
from exporter.business.query import Query
from exporter.clock import Clock
from exporter.config.secret import Secret
from exporter.errors import ConfigError, Problem
from exporter.settings import Settings
from exporter.tables import Tables
from exporter.tools import Dialer
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool


def enabled(settings: Settings) -> list[Query]:
    """The queries that are not switched off."""
    return [query for query in settings.all_queries if query.name not in settings.queries.disable]


def options(settings: Settings) -> DatabaseOptions:
    """The section `database`. Raises ConfigError where there is none."""
    if settings.database is None:
        raise ConfigError(
            [Problem("", "database", "not configured: say where it is, e.g. database: {url: {env: DATABASE_URL}}")]
        )
    return settings.database


def daily(settings: Settings) -> DailyOptions:
    """The section `daily`. Raises ConfigError where there is none."""
    if settings.daily is None:
        raise ConfigError(
            [Problem("", "daily", "not configured: add the section, e.g. daily: {timezone: America/Sao_Paulo}")]
        )
    return settings.daily


def tables(settings: Settings) -> Tables:
    """The app's tables, as they are mapped. Raises ConfigError where there is no database."""
    return Tables.of(settings.tables, parse_database_url(options(settings).url.reveal()).schema)


@asynccontextmanager
async def pool(url: Secret, clock: Clock) -> AsyncIterator[Pool]:
    """One connection, opened when it is needed."""
    one = Pool(parse_database_url(url.reveal()), 1, clock)
    try:
        yield one
    finally:
        await one.close()


async def reach(pool: Pool) -> None:
    """Looks the server's name up in a way that can be given up, which asyncpg's own way cannot; raises Failed."""
    if not pool.url.is_socket:
        await Dialer().resolve(pool.url.host, pool.url.port, lambda _: nullcontext())
