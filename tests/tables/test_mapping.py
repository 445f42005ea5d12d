"""The CTEs in front of a query, run by the server."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from exporter.tables import LOGICAL, Tables, TablesOptions, Window, used
from tests.tables.conftest import DATA, DDL

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOMENTS = ["2026-03-01 11:59:59.999", "2026-03-01 12:00:00", "2026-03-01 12:59:59.999", "2026-03-01 13:00:00"]


def tables(**options) -> Tables:
    return Tables.of(TablesOptions.model_validate(options), "public")


def plan(rows) -> str:
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("preset", DDL)
async def test_every_logical_table_and_column_can_be_read(empty, preset):
    await empty.execute((DATA / DDL[preset]).read_text())
    with_clause = tables(preset=preset).with_clause(LOGICAL)

    for table, columns in LOGICAL.items():
        names = ", ".join(f"{table}.{column}" for column in columns)
        assert await empty.fetch(f"{with_clause} SELECT {names} FROM {table}") == []


async def test_a_window_is_found_by_its_index(prisma):
    await prisma.execute(
        'INSERT INTO "User" (id, email, "updatedAt") VALUES (1, 1, now());'
        'INSERT INTO "Message" (id, "userId", content, "createdAt")'
        " SELECT n, 1, '', '2026-03-01'::timestamp + n * interval '1 minute' FROM generate_series(1, 20000) n;"
        "ANALYZE"
    )
    sql = tables().with_clause(
        ["message", "app_user"], Window("message", "created_at", NOON, NOON + timedelta(hours=1))
    )
    sql += " SELECT provider, count(*) FROM message JOIN app_user ON user_id = app_user.id GROUP BY 1"

    (row,) = await prisma.fetch(sql)
    explained = plan(await prisma.fetch(f"EXPLAIN {sql}"))

    assert row["count"] == 60
    assert "Message_createdAt_idx" in explained
    assert "CTE" not in explained
    assert 'Seq Scan on "Message"' not in explained


@pytest.mark.parametrize("kind", ["timestamp(3)", "timestamptz(3)"])
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-3))])
async def test_a_window_has_its_start_and_not_its_end(empty, kind, zone):
    await empty.execute(f"CREATE TABLE m (at {kind})")
    await empty.executemany(f"INSERT INTO m VALUES ($1::text::{kind})", [(moment,) for moment in MOMENTS])
    mapping = tables(message={"table": "m", "columns": {"created_at": "at"}})
    hour = [NOON.astimezone(zone), (NOON + timedelta(hours=1)).astimezone(zone)]

    counts = [
        await empty.fetchval(
            mapping.with_clause({"message": ["created_at"]}, Window("message", "created_at", *bounds))
            + " SELECT count(*) FROM message"
        )
        for bounds in ((None, hour[0]), hour, (hour[1], None), (None, None))
    ]

    assert counts == [1, 2, 1, 4]


async def test_a_day_is_in_a_window_as_its_first_moment_is(prisma):
    await prisma.execute(
        'INSERT INTO "Org" (id, name) VALUES (1, 1);'
        'INSERT INTO "Usage" (id, "orgId", day, provider, model, cost_usd)'
        " SELECT n, 1, date '2026-02-27' + n, 'p', 'm', 1 FROM generate_series(1, 4) n"
    )

    async def days(start, end) -> list[str]:
        sql = tables().with_clause(["usage"], Window("usage", "day", start, end)) + " SELECT day::text FROM usage"
        return [row["day"] for row in await prisma.fetch(sql)]

    midnight = NOON.replace(hour=0)
    assert await days(midnight, midnight + timedelta(days=1)) == ["2026-03-01"]
    assert await days(NOON, NOON + timedelta(days=1)) == ["2026-03-02"]
    assert await days(None, NOON) == ["2026-02-28", "2026-03-01"]


def test_a_window_needs_a_zone_and_a_table_that_is_read():
    with pytest.raises(ValueError, match="time zone"):
        Window("message", "created_at", NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="message, which is not read"):
        tables().with_clause(["org"], Window("message", "created_at", NOON))


async def test_the_request_log_has_the_rows_of_its_type_alone(prisma):
    await prisma.execute(
        'INSERT INTO "Metric" (id, type, endpoint, method, duration, status, timestamp)'
        " VALUES (1, 'api_request', '/', 'GET', 5, 200, now()), (2, 'memory', '', '', 5, 0, now())"
    )
    count = " SELECT count(*) FROM api_request"

    assert await prisma.fetchval(tables().with_clause(["api_request"]) + count) == 1
    assert await prisma.fetchval(tables(api_request={"only": {}}).with_clause(["api_request"]) + count) == 2
    assert (
        await prisma.fetchval(tables(api_request={"only": {"status": "0"}}).with_clause(["api_request"]) + count) == 1
    )


HOSTILE = [
    'with "quotes" and spaces',
    "Übersicht 消息",
    '"; DROP TABLE victim; --',
    'x" FROM victim; DROP TABLE victim; /*',
    "'; DROP TABLE victim; --",
    "$1 %s {0} \\",
    "line\nbreak",
    "select",
    "ß" * 31,
]


@pytest.mark.parametrize("conforming", ["on", "off"])
@pytest.mark.parametrize("name", HOSTILE)
async def test_whatever_a_name_holds_it_stays_a_name(empty, name, conforming):
    inside = name.replace('"', '""')
    text = await empty.fetchval("SELECT quote_literal($1::text)", name)
    await empty.execute(
        f'CREATE TABLE victim (); CREATE SCHEMA "{inside}"; CREATE TABLE "{inside}"."{inside}" ("{inside}" text);'
        f'INSERT INTO "{inside}"."{inside}" VALUES ({text}), (\'other\');'
        f"SET standard_conforming_strings = {conforming}"
    )
    mapping = tables(org={"table": name, "schema": name, "columns": {"plan": name}, "only": {name: name}})
    reads = {"org": ["plan"]}

    rows = await empty.fetch(mapping.with_clause(reads) + " SELECT plan FROM org")

    assert [row["plan"] for row in rows] == [name]
    assert mapping.rights(reads) == {(name, name): (name,)}
    assert await mapping.problems(empty, reads) == []
    assert await empty.fetchval("SELECT to_regclass('victim') IS NOT NULL")


@pytest.mark.fast
@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT count(*) AS value FROM message", ()),
        ("SELECT Provider, sum(message.TOKENS) AS value FROM message GROUP BY 1", ("provider", "tokens")),
        ("SELECT m.* FROM message AS m", LOGICAL["message"]),
        ('SELECT "m" . * FROM message AS "m"', LOGICAL["message"]),
        ("SELECT count(*) AS value FROM message NATURAL JOIN app_user", LOGICAL["message"]),
    ],
)
def test_a_query_uses_the_columns_that_it_names(sql, columns):
    assert used(sql, ["message"]) == {"message": columns}


async def test_a_query_needs_rights_on_what_it_uses_alone(server, prisma):
    mapping = tables()
    sql = "SELECT count(*) AS value FROM message JOIN org ON org.plan = 'PRO' JOIN api_request ON true"
    reads = used(sql, ["message", "org", "api_request"])
    window = Window("message", "created_at", NOON)
    role = await server.role("secret")
    rights = mapping.rights(reads, window)
    for (schema, table), columns in rights.items():
        names = ", ".join(f'"{column}"' for column in columns)
        await prisma.execute(f'GRANT SELECT ({names}) ON "{schema}"."{table}" TO {role}')

    await prisma.execute(f"SET ROLE {role}")

    assert await prisma.fetchval(f"{mapping.with_clause(reads, window)} {sql}") == 0
    assert rights == {
        ("public", "Message"): ("createdAt", "id"),
        ("public", "Org"): ("planCode",),
        ("public", "Metric"): ("endpoint", "type"),
    }
    await prisma.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")
