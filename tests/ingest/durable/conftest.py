"""Databases with the app's tables, and what is in them."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from tests.support.keeping import app_database
from tests.support.postgres import Postgres

Rows = Callable[..., Awaitable[list[tuple[object, ...]]]]


@pytest.fixture
async def url(postgres_cluster: Postgres) -> AsyncIterator[str]:
    """The URL of a database of its own, with the tables that Prisma makes."""
    async with app_database(postgres_cluster) as url:
        yield url


@pytest.fixture
def sql(url: str) -> Rows:
    """Runs a statement in that database; gives its rows."""

    async def run(statement: str, *values: object) -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
        try:
            return [tuple(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    return run
