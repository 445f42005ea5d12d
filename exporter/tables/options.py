"""The section `tables:` of a configuration: which names the app's tables and columns have.

Each logical table is a model, and each of its columns a field, with the names that the presets give it.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from exporter.config.model import Options

Preset = Literal["prisma", "snake_case"]
PRESETS: tuple[Preset, ...] = ("prisma", "snake_case")

LONGEST = 63
"""Bytes of the longest name; the server cuts longer ones off
(https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS)."""


def _text(text: str) -> str:
    try:
        sendable = "\0" not in text and text.encode()
    except UnicodeEncodeError:
        sendable = False
    if sendable is False:
        raise ValueError(f"expected text that PostgreSQL can hold, got {text!r}")
    return text


def _identifier(text: str) -> str:
    size = len(_text(text).encode())
    if not 0 < size <= LONGEST:
        raise ValueError(f"expected a name as PostgreSQL has it, of 1 to {LONGEST} bytes, got {size}: {text!r}")
    return text


Identifier = Annotated[str, AfterValidator(_identifier)]
Text = Annotated[str, AfterValidator(_text)]


def _named(prisma: str, snake_case: str) -> Any:
    """A name that the presets know; as examples they also show in the JSON Schema."""
    return Field(None, examples=[prisma, snake_case])


class Names(Options):
    """Names that the presets know, and a configuration may change."""

    def name(self, field: str, preset: Preset) -> str:
        """The name in this field, or the one that the preset has for it."""
        known = type(self).model_fields[field].examples or ()
        return str(getattr(self, field) or known[PRESETS.index(preset)])


class TableOptions(Names):
    """Where one logical table stands; what is not said is as the preset has it."""

    PRESET_ONLY: ClassVar[dict[str, str]] = {}
    """`only`, as the presets have it."""
    DIVIDED_BY: ClassVar[tuple[str, ...]] = ()
    """Columns that every query compares with a constant: an index may have them before the time column."""

    schema_: Identifier | None = Field(None, alias="schema")
    """The schema of this table, where it is another than that of the rest."""
    only: dict[Identifier, Text] | None = None
    """Column names and texts: the rows that have these are the table's rows; {} for all of them."""
    table: Identifier | None = None
    """The table's name."""
    columns: Names = Names()
    """The columns' names."""


class AppUserColumns(Names):
    """Columns of app_user."""

    id: Identifier | None = _named("id", "id")
    """The user's key."""
    org_id: Identifier | None = _named("orgId", "org_id")
    """The user's org."""
    created_at: Identifier | None = _named("createdAt", "created_at")
    """When the user signed up."""


class AppUserTable(TableOptions):
    """Users: one row each."""

    table: Identifier | None = _named("User", "users")
    """The table's name."""
    columns: AppUserColumns = AppUserColumns()
    """The columns' names."""


class OrgColumns(Names):
    """Columns of org."""

    id: Identifier | None = _named("id", "id")
    """The org's key."""
    plan: Identifier | None = _named("planCode", "plan_code")
    """The org's plan."""
    created_at: Identifier | None = _named("createdAt", "created_at")
    """When the org was made."""


class OrgTable(TableOptions):
    """Organisations, the paying customers: one row each."""

    table: Identifier | None = _named("Org", "orgs")
    """The table's name."""
    columns: OrgColumns = OrgColumns()
    """The columns' names."""


class SubscriptionColumns(Names):
    """Columns of subscription."""

    id: Identifier | None = _named("id", "id")
    """The subscription's key."""
    org_id: Identifier | None = _named("orgId", "org_id")
    """Whose subscription it is."""
    status: Identifier | None = _named("status", "status")
    """Its state, as Stripe names it."""
    amount: Identifier | None = _named("amount", "amount")
    """Cents a month."""
    created_at: Identifier | None = _named("createdAt", "created_at")
    """When it began."""
    canceled_at: Identifier | None = _named("canceledAt", "canceled_at")
    """When it was cancelled, or NULL."""


class SubscriptionTable(TableOptions):
    """Subscriptions: one row for each org, rewritten when it changes."""

    table: Identifier | None = _named("Subscription", "subscriptions")
    """The table's name."""
    columns: SubscriptionColumns = SubscriptionColumns()
    """The columns' names."""


class MessageColumns(Names):
    """Columns of message."""

    id: Identifier | None = _named("id", "id")
    """The message's key."""
    user_id: Identifier | None = _named("userId", "user_id")
    """Who wrote it."""
    provider: Identifier | None = _named("provider", "provider")
    """The provider of the model that answered."""
    model: Identifier | None = _named("model", "model")
    """The model that answered."""
    tokens: Identifier | None = _named("tokens", "tokens")
    """Tokens used, filled in while the answer streams."""
    created_at: Identifier | None = _named("createdAt", "created_at")
    """When it was written."""


class MessageTable(TableOptions):
    """Chat messages: one row each, and ever more of them."""

    table: Identifier | None = _named("Message", "messages")
    """The table's name."""
    columns: MessageColumns = MessageColumns()
    """The columns' names."""


class UsageColumns(Names):
    """Columns of usage."""

    org_id: Identifier | None = _named("orgId", "org_id")
    """Whose usage it is."""
    day: Identifier | None = _named("day", "day")
    """The day (UTC), a date or a timestamp."""
    provider: Identifier | None = _named("provider", "provider")
    """The provider of the model."""
    model: Identifier | None = _named("model", "model")
    """The model."""
    tokens: Identifier | None = _named("tokens", "tokens")
    """Tokens used that day."""
    cost_usd: Identifier | None = _named("cost_usd", "cost_usd")
    """What they cost, in US dollars."""


class UsageTable(TableOptions):
    """Usage: one row for each org, day, provider and model, rewritten while the day lasts."""

    table: Identifier | None = _named("Usage", "usage")
    """The table's name."""
    columns: UsageColumns = UsageColumns()
    """The columns' names."""


class ApiRequestColumns(Names):
    """Columns of api_request."""

    endpoint: Identifier | None = _named("endpoint", "endpoint")
    """The path that was asked for."""
    method: Identifier | None = _named("method", "method")
    """The HTTP method."""
    duration: Identifier | None = _named("duration", "duration")
    """Milliseconds that the answer took."""
    status: Identifier | None = _named("status", "status")
    """The HTTP status."""
    created_at: Identifier | None = _named("timestamp", "timestamp")
    """When it was answered."""
    id: Identifier | None = _named("id", "id")
    """The request's key, by which it is stored once; not read."""


class ApiRequestTable(TableOptions):
    """The app's request log: the rows of its table of metrics that are of type api_request."""

    PRESET_ONLY: ClassVar[dict[str, str]] = {"type": "api_request"}

    table: Identifier | None = _named("Metric", "metrics")
    """The table's name."""
    columns: ApiRequestColumns = ApiRequestColumns()
    """The columns' names."""


class BusinessEventColumns(Names):
    """Columns of business_event."""

    id: Identifier | None = _named("id", "id")
    """The event's key."""
    event_type: Identifier | None = _named("eventType", "event_type")
    """What happened: user_signup, subscription_created and so on."""
    data: Identifier | None = _named("data", "data")
    """What else is known: a JSON object, as text, json, jsonb, or JSON text in a JSON string."""
    created_at: Identifier | None = _named("timestamp", "timestamp")
    """When it happened."""


class BusinessEventTable(TableOptions):
    """Business events: one row each, never changed."""

    DIVIDED_BY: ClassVar[tuple[str, ...]] = ("event_type",)

    table: Identifier | None = _named("BusinessEvent", "business_events")
    """The table's name."""
    columns: BusinessEventColumns = BusinessEventColumns()
    """The columns' names."""


class DailyMetricsColumns(Names):
    """Columns of daily_metrics."""

    date: Identifier | None = _named("date", "date")
    """The day, as text (2026-01-31) or a date."""
    new_users: Identifier | None = _named("newUsers", "new_users")
    """Users who signed up."""
    revenue: Identifier | None = _named("revenue", "revenue")
    """Usage cost, in US dollars."""
    total_messages: Identifier | None = _named("totalMessages", "total_messages")
    """Messages written."""
    active_orgs: Identifier | None = _named("activeOrgs", "active_orgs")
    """Orgs that wrote one."""


class DailyMetricsTable(TableOptions):
    """What the daily aggregation writes: one row a day."""

    table: Identifier | None = _named("DailyMetrics", "daily_metrics")
    """The table's name."""
    columns: DailyMetricsColumns = DailyMetricsColumns()
    """The columns' names."""


class TablesOptions(Options):
    """Which names the app's tables and columns have."""

    preset: Preset = "prisma"
    """How they are named where nothing else is said: "Message"."createdAt" or messages.created_at."""
    schema_: Identifier | None = Field(None, alias="schema")
    """The tables' schema; unless told, the one that the database's URL names, or public."""
    app_user: AppUserTable = AppUserTable()
    """Users."""
    org: OrgTable = OrgTable()
    """Organisations."""
    subscription: SubscriptionTable = SubscriptionTable()
    """Subscriptions."""
    message: MessageTable = MessageTable()
    """Chat messages."""
    usage: UsageTable = UsageTable()
    """Usage by day."""
    api_request: ApiRequestTable = ApiRequestTable()
    """The request log."""
    business_event: BusinessEventTable = BusinessEventTable()
    """Business events."""
    daily_metrics: DailyMetricsTable = DailyMetricsTable()
    """The daily aggregation."""

    def tables(self) -> Iterator[tuple[str, TableOptions]]:
        """The logical tables, by name."""
        for name, value in self:
            if isinstance(value, TableOptions):
                yield name, value
