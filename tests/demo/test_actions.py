"""What each action writes, seen from the tables."""

import json
from random import Random
from typing import Any

import pytest

from exporter.demo.actions import Actions
from exporter.demo.outages import Outage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def actions(database) -> Actions:
    return Actions(database, Random(1), set())


async def events(database, event_type: str) -> list[dict[str, Any]]:
    """The data of the events that this transaction has written."""
    rows = await database.fetch(
        'SELECT data FROM "BusinessEvent" WHERE "eventType" = $1 AND timestamp = CURRENT_TIMESTAMP(3)', event_type
    )
    return [json.loads(row["data"]) for row in rows]


async def test_a_signup_is_a_user_with_an_organisation_and_an_event(database, actions):
    for _ in range(10):
        await actions.signup()

    users = await database.fetch(
        'SELECT id FROM "User" WHERE "createdAt" = CURRENT_TIMESTAMP(3) AND "orgId" IS NOT NULL'
    )
    founded = await database.fetchval('SELECT count(*) FROM "Org" WHERE "createdAt" = CURRENT_TIMESTAMP(3)')
    signups = await events(database, "user_signup")
    assert {user["id"] for user in users} == {signup["userId"] for signup in signups}
    assert {signup["source"] for signup in signups} <= {"direct", "google", "referral", "product_hunt"}
    assert 0 < founded < 10


async def test_a_subscription_is_a_row_an_event_and_the_organisations_plan(database, actions):
    await actions.subscription()

    (row,) = await database.fetch(
        """
        SELECT "orgId", amount, status, "planCode"::text FROM "Subscription" JOIN "Org" ON "Org".id = "orgId"
        WHERE "Subscription"."createdAt" = CURRENT_TIMESTAMP(3)
        """
    )
    assert row["status"] == "active"
    assert await events(database, "subscription_created") == [
        {"orgId": row["orgId"], "planCode": row["planCode"], "amount": row["amount"]}
    ]


async def test_nobody_subscribes_when_everybody_has(database, actions):
    await database.execute(
        """
        INSERT INTO "Subscription" (id, "orgId", status, amount)
        SELECT id, id, 'active', 2900 FROM "Org" WHERE id NOT IN (SELECT "orgId" FROM "Subscription")
        """
    )

    await actions.subscription()

    assert await events(database, "subscription_created") == []


async def test_a_cancellation_updates_the_subscription_and_gives_a_reason(database, actions):
    await actions.cancellation()

    (row,) = await database.fetch(
        """SELECT "orgId", status FROM "Subscription" WHERE "canceledAt" = CURRENT_TIMESTAMP(3)"""
    )
    (event,) = await events(database, "subscription_cancelled")
    assert row["status"] == "canceled"
    assert event["orgId"] == row["orgId"]
    assert event["reason"] in {"too_expensive", "missing_feature", "switched", "unused"}


async def test_nobody_cancels_when_nobody_has_an_active_subscription(database, actions):
    await database.execute("""UPDATE "Subscription" SET status = 'canceled'""")

    await actions.cancellation()

    assert await events(database, "subscription_cancelled") == []


async def test_an_upload_is_an_event(database, actions):
    await actions.upload()

    (event,) = await events(database, "file_upload")
    assert set(event) == {"orgId", "fileSize", "fileType"}
    assert event["fileSize"] > 0


async def test_messages_are_rows_events_and_usage(database, actions):
    usage = """SELECT sum(tokens) AS tokens, sum(cost_usd) AS cost FROM "Usage" WHERE day = CURRENT_DATE"""
    before = await database.fetchrow(usage)

    for _ in range(20):
        await actions.message()

    after = await database.fetchrow(usage)
    sent = await database.fetchval('SELECT sum(tokens) FROM "Message" WHERE "createdAt" = CURRENT_TIMESTAMP(3)')
    told = sum(event["tokens"] for event in await events(database, "chat_message"))
    assert after["tokens"] - (before["tokens"] or 0) == sent == told
    assert after["cost"] > (before["cost"] or 0)


async def requests(database, actions: Actions) -> list[Any]:
    for _ in range(200):
        await actions.request()
    rows: list[Any] = await database.fetch('SELECT * FROM "Metric" WHERE timestamp = CURRENT_TIMESTAMP(3)')
    return rows


async def test_requests_are_logged_with_their_duration_in_milliseconds(database, actions):
    rows = await requests(database, actions)

    assert len(rows) == 200
    assert {row["type"] for row in rows} == {"api_request"}
    assert sum(row["status"] in (200, 201) for row in rows) > 180
    assert all(0 < row["duration"] < 10_000 for row in rows)


async def test_a_fifth_of_the_requests_fails_in_an_outage_of_errors(database):
    rows = await requests(database, Actions(database, Random(1), {Outage.ERRORS}))

    assert 25 < sum(row["status"] == 500 for row in rows) < 55


async def test_requests_take_more_than_five_seconds_when_all_is_slow(database):
    rows = await requests(database, Actions(database, Random(1), {Outage.SLOW}))

    assert all(row["duration"] > 5000 for row in rows)
