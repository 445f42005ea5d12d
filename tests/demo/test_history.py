"""The history: its rows agree with each other, have the shape of real use, and are the same each time."""

import asyncio
from datetime import datetime
from importlib.resources import files

import asyncpg
import pytest

from exporter.demo.history import fill
from exporter.demo.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

AGREEMENTS = {
    "every user signed up": """
        SELECT id, "createdAt" FROM "User"
        EXCEPT
        SELECT data::json ->> 'userId', timestamp FROM "BusinessEvent" WHERE "eventType" = 'user_signup'
    """,
    "every signup is a user": """
        SELECT data::json ->> 'userId', timestamp FROM "BusinessEvent" WHERE "eventType" = 'user_signup'
        EXCEPT
        SELECT id, "createdAt" FROM "User"
    """,
    "every subscription was created, at its plan and price": """
        SELECT "orgId", "planCode"::text, amount, "Subscription"."createdAt"
        FROM "Subscription" JOIN "Org" ON "Org".id = "orgId"
        EXCEPT
        SELECT data::json ->> 'orgId', data::json ->> 'planCode', (data::json ->> 'amount')::int, timestamp
        FROM "BusinessEvent" WHERE "eventType" = 'subscription_created'
    """,
    "every cancelled subscription has said so": """
        SELECT "orgId", "canceledAt" FROM "Subscription" WHERE status = 'canceled' OR "canceledAt" IS NOT NULL
        EXCEPT
        SELECT data::json ->> 'orgId', timestamp FROM "BusinessEvent" WHERE "eventType" = 'subscription_cancelled'
    """,
    "every message is an event": """
        SELECT "orgId", provider, model, tokens, "Message"."createdAt"
        FROM "Message" JOIN "User" ON "User".id = "userId"
        EXCEPT ALL
        SELECT data::json ->> 'orgId', data::json ->> 'provider', data::json ->> 'model',
               (data::json ->> 'tokens')::int, timestamp
        FROM "BusinessEvent" WHERE "eventType" = 'chat_message'
    """,
    "the usage is that of the messages": """
        SELECT "orgId", "Message"."createdAt"::date, provider, model, sum(tokens)
        FROM "Message" JOIN "User" ON "User".id = "userId" GROUP BY 1, 2, 3, 4
        EXCEPT
        SELECT "orgId", day, provider, model, tokens FROM "Usage"
    """,
    "nobody writes before signing up": """
        SELECT FROM "Message" JOIN "User" ON "User".id = "userId" WHERE "Message"."createdAt" < "User"."createdAt"
    """,
    "nobody subscribes before there is an organisation": """
        SELECT FROM "Subscription" JOIN "Org" ON "Org".id = "orgId" WHERE "Subscription"."createdAt" < "Org"."createdAt"
    """,
    "no other addresses than examples": """SELECT FROM "User" WHERE email NOT LIKE 'user%@example.com'""",
    "nothing is in the future": """
        SELECT FROM "Metric" WHERE timestamp > now()
        UNION ALL SELECT FROM "BusinessEvent" WHERE timestamp > now()
    """,
    "every upload has a size and a known type": """
        SELECT FROM "BusinessEvent" WHERE "eventType" = 'file_upload' AND NOT coalesce(
            (data::json ->> 'fileSize')::bigint BETWEEN 1 AND 100000000
            AND data::json ->> 'fileType' IN ('pdf', 'png', 'csv', 'docx')
            AND data::json ->> 'orgId' IN (SELECT id FROM "Org"), false)
    """,
}

COUNTS = """
    SELECT (SELECT count(*) FROM "User") AS users,
           (SELECT count(*) FROM "BusinessEvent" WHERE "eventType" = 'user_signup') AS signups,
           (SELECT count(*) FROM "Subscription") AS subscriptions,
           (SELECT count(*) FROM "BusinessEvent" WHERE "eventType" = 'subscription_created') AS created,
           (SELECT count(*) FROM "Subscription" WHERE status = 'canceled') AS cancelled,
           (SELECT count(*) FROM "BusinessEvent" WHERE "eventType" = 'subscription_cancelled') AS cancellations,
           (SELECT count(*) FROM "Message") AS messages,
           (SELECT count(*) FROM "BusinessEvent" WHERE "eventType" = 'chat_message') AS chats
"""

FINGERPRINT = """
    SELECT (SELECT sum(hashtext("User"::text)) FROM "User"),
           (SELECT sum(hashtext("Org"::text)) FROM "Org"),
           (SELECT sum(hashtext("Subscription"::text)) FROM "Subscription"),
           (SELECT sum(hashtext("Message"::text)) FROM "Message"),
           (SELECT sum(hashtext("BusinessEvent"::text)) FROM "BusinessEvent"),
           (SELECT sum(hashtext("Metric"::text)) FROM "Metric"),
           (SELECT sum(hashtext("Usage"::text)) FROM "Usage")
"""


@pytest.mark.parametrize("agreement", AGREEMENTS)
async def test_the_rows_agree(database, agreement):
    assert await database.fetch(AGREEMENTS[agreement]) == []


async def test_there_are_as_many_events_as_things_that_happened(database):
    counts = await database.fetchrow(COUNTS)

    assert counts["users"] == counts["signups"]
    assert counts["subscriptions"] == counts["created"]
    assert counts["cancelled"] == counts["cancellations"] > 0
    assert counts["messages"] == counts["chats"]


async def test_there_are_a_few_hundred_thousand_rows_over_thirty_days(database):
    row = await database.fetchrow(
        """
        SELECT (SELECT count(*) FROM "Message") + (SELECT count(*) FROM "BusinessEvent")
                 + (SELECT count(*) FROM "Metric") + (SELECT count(*) FROM "Usage") AS rows,
               (SELECT extract(day FROM now() - min(timestamp)) FROM "Metric") AS days
        """
    )

    assert 200_000 < row["rows"] < 600_000
    assert 29 <= row["days"] <= 30


async def test_an_afternoon_sees_more_requests_than_a_night(database):
    row = await database.fetchrow(
        """
        SELECT count(*) FILTER (WHERE extract(hour FROM timestamp) BETWEEN 13 AND 16) AS afternoon,
               count(*) FILTER (WHERE extract(hour FROM timestamp) BETWEEN 1 AND 4) AS night
        FROM "Metric" WHERE timestamp < now() - interval '1 hour'
        """
    )

    assert row["afternoon"] > 3 * row["night"]


async def test_nearly_all_requests_succeed_within_two_seconds(database):
    row = await database.fetchrow(
        """
        SELECT avg((status < 400)::int) AS good, avg((status >= 500)::int) AS failed,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY duration) AS p95
        FROM "Metric" WHERE timestamp < now() - interval '1 hour'
        """
    )

    assert row["good"] > 0.97
    assert 0 < row["failed"] < 0.001
    assert row["p95"] < 2000


async def test_paths_hold_real_ids_and_the_time_is_indexed(database):
    paths = await database.fetchval("""SELECT count(DISTINCT endpoint) FROM "Metric" WHERE endpoint ~ '/orgs/c'""")
    indexes = await database.fetchval("""SELECT count(*) FROM pg_indexes WHERE indexname = 'Metric_timestamp_idx'""")

    assert paths > 500
    assert indexes == 1


async def test_the_same_end_gives_the_same_history(world):
    first, second = await asyncio.gather(history_in(world, "first"), history_in(world, "second"))

    assert first == second


async def history_in(world: World, name: str) -> asyncpg.Record | None:
    """Fills another database of the server, and returns a fingerprint of all its rows."""
    await world.database.pool.execute(f"CREATE DATABASE {name}")
    connection = await asyncpg.connect(f"postgresql://postgres@/{name}?host={world.folder}/postgres")
    try:
        await connection.execute(files("exporter.demo").joinpath("sql/prisma.sql").read_text())
        async with connection.transaction():
            await fill(connection, datetime(2026, 11, 23, 15, 30), lambda _, __: None)  # noqa: DTZ001  (UTC, as Prisma has it)
        return await connection.fetchrow(FINGERPRINT)
    finally:
        await connection.close()
