"""Connections for who owns the demo's tables and writes into them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy


async def connections(dsn: str, **options: Any) -> asyncpg.Pool:
    """A pool that connects when it is used, and not before; in UTC, as the tables hold it."""
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=3,
        command_timeout=30,
        reset=_as_it_is,
        server_settings={"application_name": "chatterfy-demo", "search_path": "public", "timezone": "UTC"},
        **options,
    )


@asynccontextmanager
async def transaction(pool: asyncpg.Pool) -> AsyncIterator[PoolConnectionProxy]:
    """A transaction through a connection of its own; what goes wrong in it ends that too.

    The server then rolls back by itself: to ask it for that would be to wait for one that may stand still.
    """
    async with pool.acquire() as connection:
        begun = connection.transaction()
        try:
            await begun.start()
            yield connection
            await begun.commit()
        except BaseException:
            with suppress(asyncpg.InterfaceError):  # the server has ended it
                connection.terminate()
            raise


async def _as_it_is(_: object) -> None:
    """Gives a connection back without asking the server, which may stand still: nothing here changes its settings."""
