"""The demo's tables and roles, in whichever database they are wanted."""

from importlib.resources import files

from asyncpg.pool import PoolConnectionProxy

READER = "exporter"
WRITER = "daily"
"""The role that may write the table of daily figures, and no other."""
KEEPER = "keeper"
"""The role that may add events and requests, and read nothing of them but their ids."""

MARK = "Made by chatterfy-exporter for its demo."
"""What tells the demo's tables from those of a real Chatterfy, which have the same names."""

_GRANTS = {
    READER: f"GRANT pg_monitor, pg_read_all_data TO {READER}",
    WRITER: f'GRANT pg_read_all_data TO {WRITER}; GRANT INSERT, UPDATE ON "DailyMetrics" TO {WRITER}',
    KEEPER: f'GRANT SELECT (id), INSERT ON "BusinessEvent", "Metric" TO {KEEPER}',
}


async def make_tables(connection: PoolConnectionProxy) -> None:
    """Makes the tables that Prisma would make, in a database without any."""
    sql = files(__package__) / "sql"
    for script in ("prisma.sql", "index.sql"):
        await connection.execute((sql / script).read_text())
    await connection.execute(f"""COMMENT ON TABLE "Org" IS '{MARK}'""")


async def has_tables(connection: PoolConnectionProxy) -> bool:
    """Whether the demo's tables are there."""
    comment = await connection.fetchval("""SELECT obj_description(to_regclass('"Org"'), 'pg_class')""")
    return bool(comment == MARK)


async def make_roles(connection: PoolConnectionProxy, password: str) -> None:
    """Makes the roles, or gives this password to those that are there."""
    for role, grants in _GRANTS.items():
        statement = await connection.fetchval(
            """
            SELECT format('%s ROLE %I LOGIN PASSWORD %L', CASE WHEN exists(
                SELECT FROM pg_roles WHERE rolname = $1
            ) THEN 'ALTER' ELSE 'CREATE' END, $1::text, $2::text)
            """,
            role,
            password,
        )
        await connection.execute(f"{statement}; {grants}")
