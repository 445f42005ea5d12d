"""Brings to the exporter's endpoints what the toy's servers, its browsers and its pipeline have to tell."""

from collections import deque
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from random import Random

import aiohttp

from exporter.clock import Clock
from exporter.demo.notes import Notes
from exporter.demo.outages import Outage
from exporter.demo.outbox import Outbox
from exporter.demo.pages import Pages
from exporter.demo.posting import Endpoints, Post
from exporter.demo.reports import RELEASE, Reports
from exporter.demo.rhythm import rhythm
from exporter.errors import ExporterError
from exporter.tools import Tools
from exporter.tools.http import ask

EVERY = 0.5
"""Seconds from one round to the next."""
OPENED = 0.8
"""Pages that are opened each second, at the week's average."""
MOST = 200
"""Posts of browsers and SDKs that wait for the next round; further ones are lost, as theirs are."""


class Courier:
    """Takes what is noted, and posts it for as long as `run` runs.

    `told` is called with the reason when the exporter does not take what the servers tell, and with None when it does
    again.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        clock: Clock,
        random: Random,
        broken: Collection[Outage],
        told: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        self._url = endpoints.url
        self._clock = clock
        self._random = random
        self._told = told
        self._pages = Pages(endpoints, random, broken)
        self._reports = Reports(endpoints, random)
        self._events = Outbox("/v1/events", endpoints.token, clock)
        self._requests = Outbox("/v1/metrics", endpoints.token, clock)
        self._deploy = Post.json("/v1/deploys", {"version": RELEASE}, token=endpoints.token)
        self._deployed = False
        self._loose: deque[Post] = deque(maxlen=MOST)
        self._problem = ""
        self._away = False

    def take(self, notes: Notes) -> None:
        """What an action left behind; it is posted from now on, and by this way alone."""
        self._events.add(notes.events)
        self._requests.add(notes.requests)
        now = self._clock.now()
        for event in notes.events:
            self._loose += self._pages.done(event, now)
        for line in notes.requests:
            self._loose += self._reports.answered(line, now)

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        async with Tools(self._clock, str).relay_session() as session:
            while True:
                await self._clock.sleep(EVERY)
                await self._round(session)

    async def _round(self, session: aiohttp.ClientSession) -> None:
        """What servers tell is sent until it is taken; what browsers and SDKs tell once, and not while it is away."""
        send = partial(self._send, session)
        taken = await self._events.send(send) and await self._requests.send(send)
        self._note(taken=taken)
        now = self._clock.now()
        loose = [*self._loose, *self._opened(now), *self._reports.summary(now)]
        self._loose.clear()
        if not taken:
            return
        if not self._deployed:
            self._deployed = await send(self._deploy) != 0
        for post in loose:
            await send(post)

    def _opened(self, now: float) -> list[Post]:
        chance = OPENED * EVERY * rhythm(datetime.fromtimestamp(now, UTC))
        return self._pages.opened(now) if self._random.random() < chance else []

    async def _send(self, session: aiohttp.ClientSession, post: Post) -> int:
        url = self._url + post.path
        try:
            answer = await ask(session, self._clock, "POST", url, data=post.body, headers=post.headers)
        except ExporterError as error:
            self._problem = str(error)
            return 0
        self._problem = f"{url}: status {answer.status}: {answer.body.decode(errors='replace').strip()}"
        return answer.status

    def _note(self, *, taken: bool) -> None:
        if taken is self._away:
            self._told(None if taken else self._problem)
        self._away = not taken
