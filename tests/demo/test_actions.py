"""What each action writes, seen from the tables, and what it notes beside."""

import json
from random import Random
from typing import Any

import pytest

from exporter.demo.actions import Actions
from exporter.demo.notes import store
from exporter.demo.outages import Outage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def actions(database) -> Actions:
    return Actions(database, Random(1), set())


def events(actions: Actions, name: str) -> list[dict[str, Any]]:
    """The data of the events that were noted."""
    return [event["data"] for event in actions.notes.events if event["event"] == name]


async def test_a_signup_is_a_user_with_an_organisation_and_an_event(database, actions):
    for _ in range(10):
        await actions.signup()

    users = await database.fetch(
        'SELECT id FROM "User" WHERE "createdAt" = CURRENT_TIMESTAMP(3) AND "orgId" IS NOT NULL'
    )
    founded = await database.fetchval('SELECT count(*) FROM "Org" WHERE "createdAt" = CURRENT_TIMESTAMP(3)')
    signups = events(actions, "user_signup")
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
    assert events(actions, "subscription_created") == [
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

    assert events(actions, "subscription_created") == []


async def test_a_cancellation_updates_the_subscription_and_gives_a_reason(database, actions):
    await actions.cancellation()

    (row,) = await database.fetch(
        """SELECT "orgId", status FROM "Subscription" WHERE "canceledAt" = CURRENT_TIMESTAMP(3)"""
    )
    (event,) = events(actions, "subscription_cancelled")
    assert row["status"] == "canceled"
    assert event["orgId"] == row["orgId"]
    assert event["reason"] in {"too_expensive", "missing_feature", "switched", "unused"}


async def test_nobody_cancels_when_nobody_has_an_active_subscription(database, actions):
    await database.execute("""UPDATE "Subscription" SET status = 'canceled'""")

    await actions.cancellation()

    assert events(actions, "subscription_cancelled") == []


async def test_an_upload_is_an_event(database, actions):
    await actions.upload()

    (event,) = events(actions, "file_upload")
    assert set(event) == {"orgId", "fileSize", "fileType"}
    assert event["fileSize"] > 0


async def test_messages_are_rows_events_and_usage(database, actions):
    usage = """SELECT sum(tokens) AS tokens, sum(cost_usd) AS cost FROM "Usage" WHERE day = CURRENT_DATE"""
    before = await database.fetchrow(usage)

    for _ in range(20):
        await actions.message()

    after = await database.fetchrow(usage)
    sent = await database.fetchval('SELECT sum(tokens) FROM "Message" WHERE "createdAt" = CURRENT_TIMESTAMP(3)')
    told = sum(event["tokens"] for event in events(actions, "chat_message"))
    assert after["tokens"] - (before["tokens"] or 0) == sent == told
    assert after["cost"] > (before["cost"] or 0)


async def requests(actions: Actions) -> list[Any]:
    for _ in range(200):
        await actions.request()
    return actions.notes.requests


async def test_requests_are_logged_with_their_duration_in_milliseconds(actions):
    rows = await requests(actions)

    assert len(rows) == 200
    assert {row["type"] for row in rows} == {"api_request"}
    assert sum(row["status"] in (200, 201) for row in rows) > 180
    assert all(0 < row["duration"] < 10_000 for row in rows)


async def test_a_fifth_of_the_requests_fails_in_an_outage_of_errors(database):
    rows = await requests(Actions(database, Random(1), {Outage.ERRORS}))

    assert 25 < sum(row["status"] == 500 for row in rows) < 55


async def test_requests_take_more_than_five_seconds_when_all_is_slow(database):
    rows = await requests(Actions(database, Random(1), {Outage.SLOW}))

    assert all(row["duration"] > 5000 for row in rows)


async def test_what_is_noted_can_be_stored_beside_what_is_written(database, actions):
    await actions.signup()
    await actions.request()
    await store(database, actions.notes)

    (event,) = await database.fetch('SELECT * FROM "BusinessEvent" WHERE timestamp = CURRENT_TIMESTAMP(3)')
    (line,) = await database.fetch('SELECT * FROM "Metric" WHERE timestamp = CURRENT_TIMESTAMP(3)')
    noted, logged = actions.notes.events[0], actions.notes.requests[0]
    assert (event["id"], event["eventType"], json.loads(event["data"])) == (noted["id"], "user_signup", noted["data"])
    assert {name: line[name] for name in logged} == logged
