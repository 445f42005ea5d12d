"""Each shipped query gives what plain Python counts in the same rows, wherever and however they are stored."""

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest
import pytest_asyncio

from exporter.business.query import Query
from exporter.business.shipped import SHIPPED
from exporter.tables import Tables, TablesOptions, Window
from tests.support.postgres import Postgres
from tests.support.saas import Data, Preset, Row, Saas, said

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRACT = {
    "chatterfy_http_requests_total": ("counter", ("endpoint", "method", "status")),
    "chatterfy_http_request_duration_seconds": ("histogram", ("endpoint", "method")),
    "chatterfy_users": ("gauge", ()),
    "chatterfy_orgs": ("gauge", ("plan",)),
    "chatterfy_signups_total": ("counter", ("source",)),
    "chatterfy_subscriptions": ("gauge", ("plan", "status")),
    "chatterfy_subscriptions_created_total": ("counter", ("plan",)),
    "chatterfy_subscriptions_cancelled_total": ("counter", ("reason",)),
    "chatterfy_mrr_usd": ("gauge", ("plan",)),
    "chatterfy_messages_total": ("counter", ("provider", "model")),
    "chatterfy_tokens_total": ("counter", ("provider", "model")),
    "chatterfy_active_orgs": ("gauge", ("window",)),
    "chatterfy_usage_cost_usd_total": ("counter", ("provider", "model")),
    "chatterfy_file_uploads_total": ("counter", ("file_type",)),
    "chatterfy_file_upload_bytes_total": ("counter", ("file_type",)),
}
"""The names of the two sections that users build on; those of the last complete day are tested with the daily job."""

QUERIES = {query.name: query for query in SHIPPED if not query.name.startswith("daily")}
DDL = {"prisma": "default", "snake_case": "snake_case"}


class Layout(NamedTuple):
    """How a database keeps the rows."""

    preset: Preset
    zone: str
    data: Data


LAYOUTS = [*map(Layout._make, product(("prisma", "snake_case"), ("UTC", "America/Sao_Paulo"), ("text", "jsonb")))]

Labels = tuple[str | int, ...]
"""Label values; a histogram's end with the place of the bucket."""

Result = dict[Labels, tuple[Any, ...]]


class Database(NamedTuple):
    """A database and what is in it."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    saas: Saas
    layout: Layout

    async def answer(self, query: Query, start: datetime | None = None, end: datetime | None = None) -> Result:
        """What the query says of the rows with `start` <= time < `end`."""
        window = Window(*query.growing, start, end) if query.growing else None
        tables = Tables.of(TablesOptions(preset=self.layout.preset), "public")
        async with self.connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await self.connection.fetch(query.statement(tables, window))
        labels = len(query.header.labels) + (query.kind == "histogram")
        answer = {tuple(row)[:labels]: tuple(round(value, 6) for value in tuple(row)[labels:]) for row in rows}
        assert len(answer) == len(rows)
        return answer


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=enumerate(LAYOUTS), ids=["-".join(layout) for layout in LAYOUTS]
)
async def database(request, postgres_cluster: Postgres) -> AsyncIterator[Database]:
    seed, layout = request.param
    name = f"shipped{seed}"
    await postgres_cluster.execute(f"CREATE DATABASE {name}")
    await postgres_cluster.execute(f"ALTER DATABASE {name} SET timezone = '{layout.zone}'")
    ddl = Path(__file__).parents[1] / f"data/prisma/{DDL[layout.preset]}.sql"
    saas = Saas.drawn(seed, datetime.now(UTC).replace(microsecond=0))
    # The application's session has the database's own zone; the exporter's has UTC.
    application = await asyncpg.connect(postgres_cluster.url(database=name))
    await application.execute(ddl.read_text())
    enum, events = {
        "prisma": ('"PlanCode"', '"BusinessEvent"'),
        "snake_case": ("plan_code", "business_events"),
    }[layout.preset]
    await application.execute(f"ALTER TYPE {enum} ADD VALUE 'ENTERPRISE'")
    await application.execute(f"ALTER TABLE {events} ALTER COLUMN data TYPE {layout.data} USING data::{layout.data}")
    # As with Prisma's `relationMode = "prisma"`: no foreign keys, and so rows whose owner has gone.
    await application.execute("SET session_replication_role = replica")
    await saas.insert(application, layout.preset, layout.data)
    await application.close()
    exporter = await asyncpg.connect(postgres_cluster.url(database=name), server_settings={"timezone": "UTC"})
    yield Database(exporter, saas, layout)
    await exporter.close()
    await postgres_cluster.execute(f"DROP DATABASE {name}")


def known(value: str | None) -> str:
    """A label's value from a column."""
    return "unknown" if value is None else value


def word(event: Row, key: str, longest: int = 64) -> str:
    """A label's value from an event."""
    value = said(event).get(key)
    if isinstance(value, str) and 0 < len(value) <= longest and not {"@", "\n", "\t"} & set(value):
        return value
    return "other"


def octets(event: Row) -> Decimal:
    """The size of an upload, which may be a number or a text that is one."""
    value = said(event).get("fileSize")
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(\.\d+)?", value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**15:
        return Decimal(0)
    return Decimal(str(value))


def counted(
    rows: Iterable[Row],
    labels: Callable[[Row], Labels],
    *values: Callable[[Row], Any],
) -> Result:
    """The values' sums by labels, rounded, as floats add up in any order; without values the number of rows."""
    sums: dict[Labels, list[Any]] = defaultdict(lambda: [0] * max(1, len(values)))
    for row in rows:
        for place, value in enumerate(values or (lambda _: 1,)):
            sums[labels(row)][place] += value(row)
    return {key: tuple(round(value, 6) for value in values) for key, values in sums.items()}


def plan(saas: Saas, subscription: Row) -> str:
    plans = {org["id"]: org["plan"] for org in saas.rows["org"]}
    return known(plans.get(subscription["org_id"]))


def revenue(saas: Saas) -> Result:
    paying = [row for row in saas.rows["subscription"] if row["status"] in {"active", "past_due"}]
    return counted(paying, lambda row: (plan(saas, row),), lambda row: Decimal(row["amount"]) / 100)


def active(saas: Saas) -> Result:
    orgs = {user["id"]: user["org_id"] for user in saas.rows["app_user"]}
    windows: Result = {}
    for days in (1, 7, 30):
        recent = [row for row in saas.rows["message"] if (saas.now - row["created_at"]).total_seconds() < days * 86400]
        windows[f"{days}d",] = (len({orgs.get(row["user_id"]) for row in recent} - {None}),)
    return windows


def of_model(row: Row) -> tuple[str, str]:
    return known(row["provider"]), known(row["model"])


def events(kind: str) -> Callable[[Iterable[Row]], Iterable[Row]]:
    return lambda rows: [row for row in rows if row["event_type"] == kind]


def requests(rows: Iterable[Row]) -> Iterable[Row]:
    return [row for row in rows if row["type"] == "api_request"]


def measured(rows: Iterable[Row]) -> Iterable[Row]:
    """Those whose duration a clock can have measured."""
    return [row for row in requests(rows) if isinstance(row["duration"], float) and row["duration"] >= 0]


def path(row: Row) -> str:
    names = {
        "/v1/orgs/42": "/v1/orgs/:id",
        "/v1/orgs/43": "/v1/orgs/:id",
        "/v1/orgs/cm3k2j5x80000v8l4h2g7d9qf/members": "/v1/orgs/:id/members",
        "/v1/me?tab=1": "/v1/me",
    }
    return names.get(row["endpoint"]) or str(row["endpoint"])


def bucket(row: Row) -> int:
    """The place of the first bound that the duration does not exceed."""
    bounds = QUERIES["http_request_duration"].header.buckets
    return sum(row["duration"] / 1000 > bound for bound in bounds)


GAUGES: dict[str, Callable[[Saas], Result]] = {
    "users": lambda saas: {(): (len(saas.rows["app_user"]),)},
    "orgs": lambda saas: counted(saas.rows["org"], lambda row: (row["plan"],)),
    "subscriptions": lambda saas: counted(saas.rows["subscription"], lambda row: (plan(saas, row), row["status"])),
    "mrr_usd": revenue,
    "active_orgs": active,
}
GROWING: dict[str, Callable[[Iterable[Row]], Result]] = {
    "messages": lambda rows: counted(rows, of_model),
    "tokens": lambda rows: counted(rows, of_model, lambda row: row["tokens"]),
    "usage_cost_usd": lambda rows: counted(rows, of_model, lambda row: row["cost_usd"]),
    "signups": lambda rows: counted(events("user_signup")(rows), lambda row: (word(row, "source"),)),
    "subscriptions_created": lambda rows: counted(
        events("subscription_created")(rows), lambda row: (word(row, "planCode"),)
    ),
    "subscriptions_cancelled": lambda rows: counted(
        events("subscription_cancelled")(rows), lambda row: (word(row, "reason"),)
    ),
    "file_uploads": lambda rows: counted(
        events("file_upload")(rows), lambda row: (word(row, "fileType", 100),), lambda _: 1, octets
    ),
    "http_requests": lambda rows: counted(requests(rows), lambda row: (path(row), row["method"], str(row["status"]))),
    "http_request_duration": lambda rows: counted(
        measured(rows),
        lambda row: (path(row), row["method"], bucket(row)),
        lambda _: 1,
        lambda row: row["duration"] / 1000,
    ),
}


@pytest.mark.parametrize("name", GAUGES)
async def test_a_gauge_is_what_stands_in_the_rows(database, name):
    answer = await database.answer(QUERIES[name])

    assert answer == GAUGES[name](database.saas)


@pytest.mark.parametrize("name", GROWING)
async def test_a_counter_is_what_all_rows_add_up_to(database, name):
    query = QUERIES[name]
    answer = await database.answer(query)

    assert answer == GROWING[name](database.saas.rows[query.header.reads[0]])


@pytest.mark.parametrize("name", GROWING)
async def test_a_counter_of_a_window_counts_its_start_and_not_its_end(database, name):
    query = QUERIES[name]
    assert query.growing
    table, column = query.growing
    times = sorted({row[column] for row in database.saas.rows[table]})
    bounds = [
        time if isinstance(time, datetime) else datetime.combine(time, datetime.min.time(), UTC)
        for time in (times[len(times) // 3], times[len(times) // 2])
    ]

    for start, end in [(None, bounds[0]), tuple(bounds), (bounds[1], None)]:
        answer = await database.answer(query, start, end)
        assert answer == GROWING[name](database.saas.since(table, column, start, end))
        assert answer


async def test_the_rows_hold_what_is_rare(database):
    saas = database.saas
    messages = await database.answer(QUERIES["messages"])
    signups = await database.answer(QUERIES["signups"])
    uploads = await database.answer(QUERIES["file_uploads"])
    active_orgs = [value for (value,) in (await database.answer(QUERIES["active_orgs"])).values()]

    assert {("unknown", "unknown"), ("openai", "unknown")} <= messages.keys()
    assert signups.keys() == {("direct",), ("google",), ("indicação",), ("other",)}
    assert min(size for _, size in uploads.values()) > 0
    assert len({*active_orgs}) == 3
    assert {"ENTERPRISE", "unknown"} <= {plan(saas, row) for row in saas.rows["subscription"]}


async def test_every_metric_of_the_contract_comes_from_exactly_one_file():
    metrics = [metric for query in QUERIES.values() for metric, _ in query.metrics]

    assert Counter(metric.name for metric in metrics) == Counter(list(CONTRACT))
    assert {metric.name: (metric.kind, metric.labels) for metric in metrics} == CONTRACT


async def test_every_file_is_tested():
    assert QUERIES.keys() == GAUGES.keys() | GROWING.keys()


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_a_file_is_named_after_its_metric_and_says_how_often_it_is_read(query):
    metric, _ = query.metrics[0]

    assert re.fullmatch(rf"chatterfy_{query.name}(_total|_seconds)?", metric.name)
    assert all(
        re.fullmatch(r"[A-Z].*; read every (15 seconds|minute|5 minutes)\.", part.help) for part, _ in query.metrics
    )


async def test_rows_that_are_written_late_have_time_to_settle():
    assert QUERIES["tokens"].header.settle == 600
    assert QUERIES["usage_cost_usd"].header.settle == 2 * 86400
    assert QUERIES["messages"].header.settle == 60


async def test_a_request_of_two_seconds_can_be_told_from_one_of_five():
    assert {2, 5} <= {*QUERIES["http_request_duration"].header.buckets}
