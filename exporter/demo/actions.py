"""What the toy product's users do, written as the application would write it: in one transaction each."""

from collections.abc import Collection
from random import Random

from asyncpg.pool import PoolConnectionProxy

from exporter.demo.catalogue import ENDPOINTS, FILE_TYPES, MODELS, PLANS, REASONS, SOURCES
from exporter.demo.notes import Notes, new_id
from exporter.demo.outages import Outage

FAILURE_SHARE = 0.0005
FAILURE_SHARE_IN_OUTAGE = 0.2
REFUSAL_SHARE = 0.02
REFUSALS = (401, 404, 422, 429)
SLOW_MS = 5500


class Actions:
    """The actions, through a connection that is in a transaction; requests suffer as `broken` says.

    Events and the request log are `notes`: they are not written here.
    """

    def __init__(self, connection: PoolConnectionProxy, random: Random, broken: Collection[Outage]) -> None:
        self._connection = connection
        self._random = random
        self._broken = broken
        self.notes = Notes()

    async def signup(self) -> None:
        """A new user; one in three founds an organisation, the others join one."""
        user_id, org_id = new_id(), new_id()
        if self._random.randrange(3) == 0:
            await self._connection.execute('INSERT INTO "Org" (id, name) VALUES ($1, $2)', org_id, f"Org {org_id}")
        else:
            _, org_id = await self._someone()
        await self._connection.execute(
            'INSERT INTO "User" (id, email, name, "updatedAt", "orgId") VALUES ($1, $2, $3, CURRENT_TIMESTAMP, $4)',
            user_id,
            f"user{user_id}@example.com",
            f"User {user_id}",
            org_id,
        )
        self.notes.event("user_signup", userId=user_id, source=self._random.choice(SOURCES))

    async def subscription(self) -> None:
        """An organisation that never had a subscription takes one; nothing happens when there is none."""
        plan = self._random.choice(PLANS)
        org_id = await self._connection.fetchval(
            """
            UPDATE "Org" SET "planCode" = $1::text::"PlanCode" WHERE id = (
                SELECT id FROM "Org" WHERE id NOT IN (SELECT "orgId" FROM "Subscription") LIMIT 1
            ) RETURNING id
            """,
            plan.code,
        )
        if org_id is None:
            return
        await self._connection.execute(
            """
            INSERT INTO "Subscription" (id, "orgId", "stripeSubscriptionId", status, amount)
            VALUES ($1, $2, $3, 'active', $4)
            """,
            new_id(),
            org_id,
            f"sub_{new_id()}",
            plan.amount,
        )
        self.notes.event("subscription_created", orgId=org_id, planCode=plan.code, amount=plan.amount)

    async def cancellation(self) -> None:
        """An active subscription ends; nothing happens when there is none."""
        org_id = await self._connection.fetchval(
            """
            UPDATE "Subscription" SET status = 'canceled', "canceledAt" = CURRENT_TIMESTAMP WHERE id = (
                SELECT id FROM "Subscription" WHERE status = 'active' ORDER BY random() LIMIT 1
            ) RETURNING "orgId"
            """
        )
        if org_id is not None:
            self.notes.event("subscription_cancelled", orgId=org_id, reason=self._random.choice(REASONS))

    async def upload(self) -> None:
        """A file of some hundred kilobytes, now and then of many megabytes."""
        _, org_id = await self._someone()
        size = min(100_000_000, int(self._random.lognormvariate(13, 1.5)))
        self.notes.event("file_upload", orgId=org_id, fileSize=size, fileType=self._random.choice(FILE_TYPES))

    async def message(self) -> None:
        """A message to a model, its event, and its place in the day's usage."""
        user_id, org_id = await self._someone()
        model = self._random.choice(MODELS)
        tokens = 20 + int(self._random.lognormvariate(6, 0.8))
        await self._connection.execute(
            'INSERT INTO "Message" (id, "userId", content, provider, model, tokens) VALUES ($1, $2, $3, $4, $5, $6)',
            new_id(),
            user_id,
            "What does my plan include?",
            model.provider,
            model.name,
            tokens,
        )
        self.notes.event("chat_message", orgId=org_id, provider=model.provider, model=model.name, tokens=tokens)
        await self._connection.execute(
            """
            INSERT INTO "Usage" (id, "orgId", day, provider, model, tokens, cost_usd)
            VALUES ($1, $2, CURRENT_DATE, $3, $4, $5, $6)
            ON CONFLICT ("orgId", day, provider, model)
            DO UPDATE SET tokens = "Usage".tokens + EXCLUDED.tokens, cost_usd = "Usage".cost_usd + EXCLUDED.cost_usd
            """,
            new_id(),
            org_id,
            model.provider,
            model.name,
            tokens,
            model.usd_per_million * tokens / 1_000_000,
        )

    async def request(self) -> None:
        """A request to the API as its middleware logs it; the duration is in milliseconds."""
        endpoint = self._random.choice(ENDPOINTS)
        _, org_id = await self._someone()
        duration = endpoint.median_ms * self._random.lognormvariate(0, 0.5)
        self.notes.request(
            endpoint.path.replace(":id", org_id),
            endpoint.method,
            duration + (SLOW_MS if Outage.SLOW in self._broken else 0),
            self._status(endpoint.success),
        )

    def _status(self, success: int) -> int:
        failures = FAILURE_SHARE_IN_OUTAGE if Outage.ERRORS in self._broken else FAILURE_SHARE
        refused = self._random.choice(REFUSALS)
        (status,) = self._random.choices(
            (500, refused, success), (failures, REFUSAL_SHARE, 1 - failures - REFUSAL_SHARE)
        )
        return status

    async def _someone(self) -> tuple[str, str]:
        """The ids of a user and of the user's organisation."""
        (user,) = await self._connection.fetch(
            'SELECT id, "orgId" FROM "User" OFFSET floor(random() * (SELECT count(*) FROM "User")) LIMIT 1'
        )
        return user["id"], user["orgId"]
