"""Databases of their own on PostgreSQL 18 and 15, with the tables that Prisma makes for either naming style."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from tests.support.postgres import Connection, Postgres

DDL = {"prisma": "default.sql", "snake_case": "snake_case.sql"}
DATA = Path(__file__).parents[1] / "data/prisma"
_NUMBERS = count(1)

Database = Callable[..., AbstractAsyncContextManager["Connection[asyncpg.Record]"]]


@pytest.fixture
def database(server: Postgres) -> Database:
    """Makes an empty database and connects to it, as the exporter does, with the time zone UTC."""

    @asynccontextmanager
    async def make(options: str = "") -> AsyncIterator["Connection[asyncpg.Record]"]:
        name = f"tables{next(_NUMBERS)}"
        await server.execute(f"CREATE DATABASE {name} {options}")
        connection = await asyncpg.connect(server.url(database=name), server_settings={"timezone": "UTC"})
        try:
            yield connection
        finally:
            await connection.close()
            await server.execute(f"DROP DATABASE {name}")

    return make


@pytest.fixture
async def empty(database: Database) -> AsyncIterator["Connection[asyncpg.Record]"]:
    """A connection to a database without tables."""
    async with database() as connection:
        yield connection


@pytest.fixture
async def prisma(empty: "Connection[asyncpg.Record]") -> "Connection[asyncpg.Record]":
    """A connection to a database with the tables of the preset `prisma`."""
    await empty.execute((DATA / DDL["prisma"]).read_text())
    return empty
