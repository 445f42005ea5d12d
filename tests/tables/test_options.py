"""The section `tables:`, as a user writes it, with the words that tell what is wrong."""

from pathlib import Path

import pytest

from exporter.config.model import build
from exporter.config.reader import parse
from exporter.config.secret import Sources
from exporter.errors import ConfigError
from exporter.tables import LOGICAL, Tables, TablesOptions

pytestmark = pytest.mark.fast


def options(text: str) -> TablesOptions:
    return build(TablesOptions, parse(text, "c.yml"), Sources({}, Path()))


def mapped(text: str, default_schema: str = "public") -> Tables:
    return Tables.of(options(text), default_schema)


def test_without_a_section_tables_are_as_prisma_names_them():
    tables = mapped("")

    assert tables.physical("message") == ("public", "Message")
    assert tables.columns("api_request")["created_at"] == "timestamp"
    assert tables.columns("message")["user_id"] == "userId"


def test_the_other_preset_is_snake_case():
    tables = mapped("preset: snake_case")

    assert tables.physical("business_event") == ("public", "business_events")
    assert tables.columns("org") == {"id": "id", "plan": "plan_code", "created_at": "created_at"}


def test_any_table_column_and_schema_can_be_overridden():
    tables = mapped("schema: app\nmessage: {table: ChatMessage, schema: chat, columns: {created_at: sentAt}}")

    assert tables.physical("message") == ("chat", "ChatMessage")
    assert tables.physical("org") == ("app", "Org")
    assert tables.columns("message")["created_at"] == "sentAt"
    assert tables.columns("message")["user_id"] == "userId"


@pytest.mark.parametrize(("text", "schema"), [("", "of_the_url"), ("schema: told", "told")])
def test_the_schema_of_the_url_holds_unless_one_is_told(text, schema):
    tables = mapped(text, "of_the_url")

    assert tables.physical("org") == (schema, "Org")


def test_the_logical_tables_and_their_columns_are_known():
    assert list(LOGICAL) == [
        "app_user", "org", "subscription", "message", "usage", "api_request", "business_event", "daily_metrics"
    ]  # fmt: skip
    assert LOGICAL["usage"] == ("org_id", "day", "provider", "model", "tokens", "cost_usd")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("preset: prism", "c.yml:1: preset: expected 'prisma' or 'snake_case', got 'prism'"),
        ("\nmesage: {}", "c.yml:2: unknown key 'mesage' (did you mean 'message'?)"),
        (
            "message:\n  colums: {}",
            "c.yml:2: message: unknown key 'colums' (did you mean 'columns'?)",
        ),
        (
            "message:\n  columns:\n    createdAt: sentAt",
            "c.yml:3: message.columns: unknown key 'createdAt' (did you mean 'created_at'?)",
        ),
        ("message: ChatMessage", "c.yml:1: message: expected a mapping of keys to values, got 'ChatMessage'"),
        ("org: {table: 7}", "c.yml:1: org.table: expected text, got 7"),
        (
            "org: {table: ''}",
            "c.yml:1: org.table: expected a name as PostgreSQL has it, of 1 to 63 bytes, got 0: ''",
        ),
        (
            f"schema: {'ä' * 32}",
            f"c.yml:1: schema: expected a name as PostgreSQL has it, of 1 to 63 bytes, got 64: '{'ä' * 32}'",
        ),
        (r'schema: "a\0b"', r"c.yml:1: schema: expected text that PostgreSQL can hold, got 'a\x00b'"),
        (r'schema: "\ud800"', r"c.yml:1: schema: expected text that PostgreSQL can hold, got '\ud800'"),
        (
            r'api_request: {only: {kind: "\0"}}',
            r"c.yml:1: api_request.only.kind: expected text that PostgreSQL can hold, got '\x00'",
        ),
        ("api_request: {only: {level: 3}}", "c.yml:1: api_request.only.level: expected text, got 3"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_nearest_name(text, told):
    with pytest.raises(ConfigError) as raised:
        options(text)

    assert str(raised.value) == told
