"""A small SaaS' rows, drawn at random but consistent, and their way into tables as Prisma names them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal

import asyncpg

Row = Mapping[str, Any]
"""Values by the names of the logical tables' columns; an event's `data` is the text that the application wrote."""

Preset = Literal["prisma", "snake_case"]
Data = Literal["text", "jsonb"]
"""What the column of the events' data is. Either holds objects here and JSON strings of them there."""

DAYS = 40
PLANS = ("FREE", "FREE", "FREE", "PRO", "TEAM", "ENTERPRISE")
"""One more than the schema that Prisma wrote, as after a migration that the exporter does not know of."""

_TABLES: Mapping[Preset, Mapping[str, str]] = {
    "prisma": {
        "org": "Org",
        "app_user": "User",
        "subscription": "Subscription",
        "message": "Message",
        "usage": "Usage",
        "api_request": "Metric",
        "business_event": "BusinessEvent",
    },
    "snake_case": {
        "org": "orgs",
        "app_user": "users",
        "subscription": "subscriptions",
        "message": "messages",
        "usage": "usage",
        "api_request": "metrics",
        "business_event": "business_events",
    },
}
_STRANGE_EVENTS = (
    "",
    "not json",
    "null",
    "7",
    "[]",
    "{}",
    '[{"source": "array", "planCode": "PRO", "reason": "array", "fileType": "pdf", "fileSize": 1}]',
    '{"source": "direct", "planCode": "PRO", "reason": "cut off", "fileType": "pdf", "fileSize": 10',
    "{'source': 'direct', 'planCode': 'PRO', 'reason': 'quotes', 'fileType': 'pdf', 'fileSize': 10}",
    '{"source": NaN, "planCode": NaN, "reason": NaN, "fileType": NaN, "fileSize": NaN}',
    '{"source": "direct", "fileType": "pdf", "planCode": "PRO", "reason": "overflow", "fileSize": 1e999999}',
    '{"source": "\\u0000", "planCode": "\\u0000", "reason": "\\u0000", "fileType": "\\u0000", "fileSize": 1}',
    '{"source": "\\ud800", "planCode": "\\ud800", "reason": "\\ud800", "fileType": "\\ud800", "fileSize": 1}',
)
_STRANGE_TEXTS: tuple[object, ...] = (
    None,
    5,
    True,
    "",
    "x" * 300,
    "someone@example.com",
    "two\nlines",
    "two\tcells",
    ["pdf"],
    {"a": 1},
)
_SIZES: tuple[object, ...] = (
    0,
    1,
    1024,
    1.5,
    5_000_000_000,
    "2048",
    "0.5",
    "",
    "2 MB",
    "1e3",
    "-5",
    -5,
    1e300,
    "9" * 40,
    None,
    True,
    [7],
    {"bytes": 7},
)


@dataclass(frozen=True)
class Saas:
    """All its rows, by logical table."""

    now: datetime
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @classmethod
    def drawn(cls, seed: int, now: datetime) -> "Saas":
        """The rows of the last forty days; none of them lies within half an hour of a whole number of days ago."""
        return cls(now, {table: list(rows) for table, rows in _Draw(Random(seed), now).tables()})

    def since(self, table: str, column: str, start: datetime | None, end: datetime | None) -> list[Row]:
        """The rows with `start` <= time < `end`; a date is its midnight in UTC."""
        return [
            row
            for row in self.rows[table]
            if (start is None or start <= _moment(row[column])) and (end is None or _moment(row[column]) < end)
        ]

    async def insert(self, connection: "asyncpg.Connection[asyncpg.Record]", preset: Preset, data: Data) -> None:
        """Writes all of it into empty tables."""
        for table, rows in self.rows.items():
            name = f'"{_TABLES[preset][table]}"'
            records = [_physical(table, place, row, preset, data) for place, row in enumerate(rows)]
            columns = ", ".join(f'"{column}"' for column in records[0])
            await connection.execute(
                f"INSERT INTO {name} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{name}, $1::json)",
                json.dumps(records, default=str),
            )


class _Draw:
    def __init__(self, random: Random, now: datetime) -> None:
        self._random = random
        self._now = now

    def tables(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """In the order that foreign keys ask for."""
        yield "org", self._orgs()
        yield "app_user", self._users()
        yield "subscription", self._subscriptions()
        yield "message", self._messages()
        yield "usage", self._usage()
        yield "api_request", self._requests()
        yield "business_event", self._events()

    def _past(self) -> datetime:
        minutes = 60 * self._random.randrange(24 * DAYS) + self._random.randrange(30, 35)
        return self._now - timedelta(minutes=minutes, milliseconds=self._random.randrange(1000))

    def _orgs(self) -> Iterator[Row]:
        for number in range(40):
            yield {"id": f"org{number}", "plan": self._random.choice(PLANS), "created_at": self._past()}

    def _users(self) -> Iterator[Row]:
        for number in range(120):
            org = self._random.choice([None, *(f"org{number}" for number in range(40))])
            yield {"id": f"user{number}", "org_id": org, "created_at": self._past()}

    def _subscriptions(self) -> Iterator[Row]:
        for number in range(0, 42, 2):  # the last one's organisation has gone
            status = self._random.choice(("active", "active", "trialing", "past_due", "canceled", "incomplete"))
            yield {
                "id": f"subscription{number}",
                "org_id": f"org{number}",
                "status": status,
                "amount": self._random.choice((0, 2900, 9900, 12345)),
                "created_at": self._past(),
                "canceled_at": self._past() if status == "canceled" else None,
            }

    def _model(self, *, known: bool = False) -> tuple[str | None, str | None]:
        models = [("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-haiku")]
        return self._random.choice(models if known else [*models, (None, None), ("openai", None)])

    def _messages(self) -> Iterator[Row]:
        for number in range(400):
            provider, model = self._model()
            # Some users have gone, and half of them all write nothing for a while, so that the windows differ.
            user = self._random.randrange(60) * 3
            at = self._past() if user % 2 else self._now - timedelta(days=user // 6 + 3, hours=1, minutes=30)
            yield {
                "id": f"message{number}",
                "user_id": f"user{user}",
                "provider": provider,
                "model": model,
                "tokens": self._random.choice((0, 1, 250, 4000)),
                "created_at": at,
            }

    def _usage(self) -> Iterator[Row]:
        costs: dict[tuple[str, date, str | None, str | None], Decimal] = {}
        for _ in range(200):
            key = (f"org{self._random.randrange(40)}", self._past().date(), *self._model(known=True))
            costs[key] = Decimal(self._random.randrange(10_000_000)) / 1_000_000
        for (org, day, provider, model), cost in costs.items():
            yield {"org_id": org, "day": day, "provider": provider, "model": model, "tokens": 10, "cost_usd": cost}

    def _requests(self) -> Iterator[Row]:
        paths = ("/v1/me", "/v1/orgs/42", "/v1/orgs/43", "/v1/orgs/cm3k2j5x80000v8l4h2g7d9qf/members", "/v1/me?tab=1")
        for number in range(400):
            yield {
                "id": f"request{number}",
                "type": self._random.choice(("api_request", "api_request", "api_request", "memory")),
                "endpoint": self._random.choice(paths),
                "method": self._random.choice(("GET", "POST")),
                "duration": self._random.choice(
                    (0.0, 5.0, 12.25, 2000.0, 2000.5, 5000.0, 1e6, -1.0, "NaN", "Infinity")
                ),
                "status": self._random.choice((200, 201, 404, 500)),
                "created_at": self._past(),
            }

    def _events(self) -> Iterator[Row]:
        kinds = ("user_signup", "subscription_created", "subscription_cancelled", "file_upload", "chat_message")
        for number in range(1000):
            strange = self._random.random() < 0.2
            text = json.dumps(self._event(), ensure_ascii=self._random.random() < 0.5)
            if strange:
                text = self._random.choice(_STRANGE_EVENTS)
            yield {
                "id": f"event{number}",
                "event_type": self._random.choice(kinds),
                "data": text,
                "created_at": self._past(),
            }

    def _event(self) -> dict[str, object]:
        """What an event of any type says; a key is missing now and then, or holds something strange."""
        usual: dict[str, tuple[object, ...]] = {
            "source": ("direct", "google", "indicação"),
            "planCode": ("PRO", "TEAM", "LIFETIME"),
            "reason": ("too_expensive", "Not used", 'said "no"'),
            "fileType": ("pdf", "application/pdf", "png"),
        }
        event: dict[str, object] = {"orgId": "org1", "tags": ["a", {"b": "c"}]}
        for key, values in usual.items():
            if self._random.random() < 0.9:
                event[key] = self._random.choice(_STRANGE_TEXTS if self._random.random() < 0.4 else values)
        if self._random.random() < 0.9:
            event["fileSize"] = self._random.choice(_SIZES)
        return event


def said(event: Row) -> dict[str, Any]:
    """What an event says; nothing where its data is malformed, or no object."""
    try:
        data = json.loads(event["data"], parse_constant=_refuse)
        json.dumps(data, ensure_ascii=False).encode()  # half of a surrogate pair, as text without a meaning, cannot be
    except ValueError:
        return {}
    # PostgreSQL can hold neither NUL nor a number without end.
    return data if isinstance(data, dict) and not {"\0", float("inf")} & _scalars(data) else {}


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _scalars(data: Mapping[str, Any]) -> set[object]:
    return {value for value in data.values() if isinstance(value, str | float)}


def _moment(time: date) -> datetime:
    return time if isinstance(time, datetime) else datetime(time.year, time.month, time.day, tzinfo=UTC)


def _physical(table: str, place: int, row: Row, preset: Preset, data: Data) -> dict[str, Any]:
    """The row as the application's own ORM writes it, with the columns that the exporter does not read."""
    more: dict[str, dict[str, Any]] = {
        "org": {"name": "Acme"},
        "app_user": {"email": f"user{place}@example.com", "updated_at": row.get("created_at")},
        "message": {"content": "Hello"},
        "usage": {"id": f"usage{place}"},
    }
    record = {_column(table, column, preset): value for column, value in {**more.get(table, {}), **row}.items()}
    if table == "business_event" and data == "jsonb" and place % 2:
        record["data"] = said(row) or row["data"]
    elif table == "business_event" and data == "text" and place % 7 == 0:
        record["data"] = json.dumps(row["data"])
    return record


def _column(table: str, column: str, preset: Preset) -> str:
    if column == "created_at" and table in {"api_request", "business_event"}:
        return "timestamp"
    if column == "plan":
        column = "plan_code"
    if preset == "snake_case" or column == "cost_usd":
        return column
    first, *rest = column.split("_")
    return first + "".join(map(str.capitalize, rest))
