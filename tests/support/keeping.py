"""The endpoints that keep rows, on a listener of their own over a real database: in this process, or as a program."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from exporter.business.horizon import Counter
from exporter.business.query import load_query
from exporter.business.state import StateFile
from exporter.clock import Clock, SystemClock
from exporter.config.model import build
from exporter.config.reader import Document
from exporter.config.secret import Sources
from exporter.errors import Failed
from exporter.ingest.durable import DurableKeeper, KeepingOptions, SpoolOptions
from exporter.limits import SECTIONS, Given, LimitsOptions, Listener, Section
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.tables import Tables, TablesOptions
from exporter.tools import Tools
from exporter.tools.database_url import parse_database_url
from exporter.tools.sql import Pool
from tests.support.listening import started
from tests.support.postgres import Postgres

DDL = Path(__file__).parents[1] / "data/prisma/default.sql"
LIMITS = LimitsOptions(rate=1e6, burst=10**6, total_rate=1e6)


_databases = count(1)


@asynccontextmanager
async def app_database(postgres: Postgres) -> AsyncIterator[str]:
    """A database of its own in the cluster, with the app's tables; gives its URL."""
    name = f"app{next(_databases)}"
    await postgres.execute(f"CREATE DATABASE {name}")
    connection = await asyncpg.connect(postgres.url(database=name))
    await connection.execute(DDL.read_text().replace("CREATE SCHEMA", "-- CREATE SCHEMA"))
    await connection.close()
    try:
        yield postgres.url(database=name)
    finally:
        await postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Keeping:
    """A running listener with the sections `events` and `requests`; `page` is what /metrics would show."""

    def __init__(
        self, url: str, folder: Path, clock: Clock, *, tables: TablesOptions, sections: dict[str, Any], **options: Any
    ) -> None:
        self.store, self.clock = Store(2000), clock
        self._page = Page(self.store)
        spool = SpoolOptions(path=folder / "spool.sqlite", limit=options.pop("limit", "16MiB"))
        kept = KeepingOptions(spool=spool, **options)
        self.tables = Tables.of(tables, "public")
        self.keeper = DurableKeeper(parse_database_url(url), self.tables, kept, self.store, clock)
        self.closing = AsyncExitStack()
        self.tools = Tools(clock, str)
        given = Given(self.store, self.tools, "test", self.keeper, self.closing)
        made = [self.section(name, values, folder) for name, values in sections.items()]
        self._listener = Listener(
            [endpoint for section in made for endpoint in section.endpoints(given)], LIMITS, self.store, clock
        )
        self.url = ""
        self._session: aiohttp.ClientSession | None = None

    def section(self, name: str, values: dict[str, Any], folder: Path = Path()) -> Section:
        """A section of a configuration."""
        return build(SECTIONS[name], Document(values, "test"), Sources({}, folder))

    async def post(
        self, items: Any = None, path: str = "/v1/events", *, data: str | bytes | None = None, **headers: str
    ) -> tuple[int, str]:
        """Posts items as JSON, or data as it is; header names are in snake case. Gives the status and the answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"json": items} if data is None else {"data": data}
        async with self._session.post(self.url + path, headers=named, **body) as response:
            return response.status, (await response.text()).strip()

    async def start(self, port: int = 0) -> None:
        self.keeper.start()
        self.url = await started(self._listener, port=port)

    async def close(self) -> None:
        if self._session:
            await self._session.close()
        await self._listener.close()
        await self.keeper.close()
        await self.closing.aclose()

    async def page(self) -> str:
        await self._page.refresh()
        return self._page.text.plain.decode()


@asynccontextmanager
async def keeping(
    url: str,
    folder: Path,
    clock: Clock | None = None,
    *,
    tables: TablesOptions | None = None,
    sections: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Keeping]:
    """Starts it, and stops it."""
    it = Keeping(
        url,
        folder,
        clock or SystemClock(),
        tables=tables or TablesOptions(),
        sections=sections or {"events": {}, "requests": {}},
        **options,
    )
    await it.start()
    try:
        yield it
    finally:
        await it.close()


def signup(key: str | None = None, source: str = "ads") -> dict[str, Any]:
    """An event, with this key."""
    event: dict[str, Any] = {"event": "user_signup", "data": {"userId": "u", "source": source}}
    return event if key is None else {**event, "id": key}


def signups(keys: Iterable[object]) -> list[dict[str, Any]]:
    """Events with these keys."""
    return [signup(str(key)) for key in keys]


QUERY = """-- metric: own_events_total
-- kind: counter
-- help: Events.
-- reads: [business_event]
-- labels: [name]
-- time: business_event.created_at
-- settle: 50ms
SELECT event_type AS name, count(*) AS value FROM business_event GROUP BY 1
"""


class Counting:
    """A counter over events that closes them as soon as it may, and so counts wrong whenever it may too soon."""

    def __init__(self, url: str, folder: Path, it: Keeping) -> None:
        path = folder / "events.sql"
        path.write_text(QUERY)
        self._it = it
        self._state = StateFile(folder / "state.sqlite")
        self._pool = Pool(parse_database_url(url), 1, SystemClock())
        self.counter = Counter(
            load_query(path), it.tables, self._pool, self._state, it.store, skew=0.0, hold=it.keeper.hold
        )

    async def refresh(self) -> None:
        """As a job does: where the database is away, nothing changes."""
        with suppress(Failed):
            await self.counter.refresh(5)

    async def page(self) -> str:
        """The page after a refresh and a recount."""
        await self.counter.refresh(5)
        await self.counter.recount(5)
        return await self._it.page()

    async def close(self) -> None:
        await self._pool.close()
        await self._state.close()


async def _main() -> None:
    """As a program: `python -m tests.support.keeping URL FOLDER PORT`.

    Runs until it is killed; told to stop, it prints its page.
    """
    url, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    stopping = False

    def stop() -> None:
        nonlocal stopping
        stopping = True

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    it = Keeping(url, folder, SystemClock(), tables=TablesOptions(), sections={"events": {}}, late="2s")
    counting = Counting(url, folder, it)
    await it.start(port)
    while not stopping:
        await counting.refresh()
        await asyncio.sleep(0.05)
    sys.stdout.write(await counting.page())
    sys.stdout.flush()
    await counting.close()
    await it.close()


if __name__ == "__main__":
    asyncio.run(_main())
