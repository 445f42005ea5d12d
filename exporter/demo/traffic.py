"""Steady live traffic: the users' actions at random moments, more by day than by night."""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from random import Random

import asyncpg

from exporter.clock import Clock
from exporter.demo.actions import Actions
from exporter.demo.connections import transaction
from exporter.demo.courier import Courier
from exporter.demo.notes import store
from exporter.demo.outages import Outage
from exporter.demo.rhythm import rhythm
from exporter.tools.sql import SQL_ERRORS

Action = Callable[[Actions], Awaitable[None]]

RATES: dict[Action, float] = {
    Actions.request: 8.0,
    Actions.message: 2.0,
    Actions.upload: 0.3,
    Actions.signup: 0.06,
    Actions.subscription: 0.01,
    Actions.cancellation: 0.0002,
}
"""How often each action happens a second, at the week's average."""

CHURN_RATE = 0.1
CHURN_AT_ONCE = 8
"""More than the five an hour that count as high churn."""

RETRY_SECONDS = 1.0
PATIENCE = 10.0
"""Seconds for an action; a database that takes longer stands still."""


class Traffic:
    """Writes through the pool for as long as `run` runs; suffers as `broken` says.

    What the app notes beside its own rows goes to the `courier`, and without one into the database too.
    `told` is called with the error when the database goes away, and with None when it is back.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Clock,
        random: Random,
        broken: Collection[Outage],
        told: Callable[[Exception | None], None] = lambda _: None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._random = random
        self._broken = broken
        self._told = told
        self._away = False
        self.courier: Courier | None = None

    async def run(self) -> None:
        """Goes on until it is cancelled, and waits for a database that is away."""
        while True:
            rates = RATES | ({Actions.cancellation: CHURN_RATE} if Outage.CHURN in self._broken else {})
            busy = rhythm(datetime.fromtimestamp(self._clock.now(), UTC))
            await self._clock.sleep(self._random.expovariate(sum(rates.values()) * busy))
            (action,) = self._random.choices(tuple(rates), tuple(rates.values()))
            try:
                await self.write(action)
            except SQL_ERRORS as error:
                if not self._away:
                    self._told(error)
                self._away = True
                await self._clock.sleep(RETRY_SECONDS)
            else:
                if self._away:
                    self._told(None)
                self._away = False

    async def churn(self) -> None:
        """Cancels many subscriptions at once."""
        for _ in range(CHURN_AT_ONCE):
            await self.write(Actions.cancellation)

    async def write(self, action: Action) -> None:
        """One action, in a transaction of its own; what is noted goes one way only."""
        courier = self.courier
        async with self._clock.timeout(PATIENCE), transaction(self._pool) as connection:
            actions = Actions(connection, self._random, self._broken)
            await action(actions)
            if courier is None:
                await store(connection, actions.notes)
        if courier:
            courier.take(actions.notes)
