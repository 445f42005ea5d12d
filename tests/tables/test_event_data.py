"""Event data in every encoding, and texts that only look like JSON: never an error, and what Python reads, if JSON."""

import json
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.tables import Tables, TablesOptions
from exporter.tables.event_data import parsed
from tests.support.postgres import Connection

COLUMN = parsed("data")
READ = f"SELECT array_agg({COLUMN} ORDER BY place) FROM unnest($1::text[]) WITH ORDINALITY AS t(data, place)"
DEEPEST = 3
_BEYOND = re.compile("[\0\ud800-\udfff]")


class Members(list[tuple[str, Any]]):
    """An object with every member that is written, also one that a later one replaces."""


def within(value: Any, levels: int) -> Any:
    """The value as Python has it; ValueError where it holds what jsonb cannot, or is nested deeper than this."""
    if isinstance(value, str) and _BEYOND.search(value):
        raise ValueError(value)
    if isinstance(value, list) and levels == 0:
        raise ValueError("too deep")
    if isinstance(value, Members):
        return {within(name, 0): within(member, levels - 1) for name, member in value}
    if isinstance(value, list):
        return [within(item, levels - 1) for item in value]
    return value


def number(text: str) -> Decimal:
    if re.search(r"[eE][+-]?\d{4}", text):
        raise ValueError(text)
    return Decimal(text)


def refuse(text: str) -> None:
    raise ValueError(text)


def read(text: str) -> Any:
    found = json.loads(text, parse_float=number, parse_int=Decimal, parse_constant=refuse, object_pairs_hook=Members)
    if isinstance(found, str):
        return within(found, 0)
    if isinstance(found, Members):
        return within(found, DEEPEST)
    raise ValueError(text)


def by_python(text: str) -> dict[str, Any] | None:
    """The object that Python's json finds in the text, or in the JSON string that the text is."""
    try:
        found = read(text)
        found = read(found) if isinstance(found, str) else found
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def same(text: str | None) -> Any:
    return None if text is None else json.loads(text, parse_float=Decimal, parse_int=Decimal)


GOOD = {
    "orgId": "clx0123", "reason": 'too "dear", \\ he says\n', "amount": 4900, "rate": 1.5, "emoji": "😀 ü",
    "ok": True, "none": None, "list": [1, [2]], "in": {"a": {"b": 1}},
}  # fmt: skip
ZOO = [
    "", " ", "null", "true", "7", '"text"', "[]", "[1]", '[{"a": 1}]', "{}", " \t\n\r{ } ", "\v{}",
    "\u00a0{}", "\ufeff{}",
    "{", "}", "{,}", '{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a":1 "b":2}', '{"a":1,,"b":2}', "{'a': 1}", "{a: 1}",
    '{"a":1}}', '{"a":1} x', '{"a":1}{"b":2}', '{"a": 1, "a": 2}', '{"a": [1,]}', '{"a": [,]}', '{"a": [1 2]}',
    '{"a": [}', '{"a": {]}', '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": undefined}', '{"a": TRUE}',
    '{"a": 01}', '{"a": -}', '{"a": -0}', '{"a": -0.0}', '{"a": .5}', '{"a": 5.}', '{"a": +5}', '{"a": 0x1f}',
    '{"a": 1_0}',
    '{"a": 1e5}', '{"a": 1E+05}', '{"a": 1e-5}', '{"a": 1e}', '{"a": 1e999}', '{"a": 1e-999}', '{"a": 1e9999}',
    '{"a": 1e999999}', '{"a": 1e-999999}', '{"a": 1e99999999999999999999}', '{"a": "1e999999"}',
    '{"a": ' + "9" * 14000 + "}", '{"a": 0.' + "9" * 14000 + "}", '{"a": 0.' + "9" * 14000 + "e-999}",
    '{"a": "\\u0000"}', '{"\\u0000": 1}', '{"a": "\\u0000", "a": 1}', '{"a": "\\u0001\\u001f\\u007f"}',
    '{"a": "\\u0008\\u0041\\u00e9\\u0100\\u0fff\\u1000\\ucfff\\ud7ff\\ue000\\uffff\\uFFFE"}',
    '{"a": "\\ud83d\\ude00"}', '{"a": "\\uD83D\\uDE00"}', '{"a": "\\ud83d"}', '{"a": "\\ude00"}',
    '{"a": "\\ude00\\ud83d"}',
    '{"a": "\\ud83d\\ud83d\\ude00"}', '{"a": "\\ud83d \\ude00"}', '{"\\ud800": 1}', '{"a": "\\\\u0000"}',
    '{"a": "\\\\\\u0000"}', '{"a": "\\u00"}', '{"a": "\\u00g0"}', '{"a": "\\U0041"}', '{"a": "\\x41"}', '{"a": "\\"}',
    '{"a": "\\/\\b\\f\\n\\r\\t\\"\\\\"}', '{"a": "\\a"}', '{"a": "\n"}', '{"a": "\t"}', '{"a": "\x1f"}',
    '{"a": "\x7f"}',
    '{"a": "' + "x" * 20000 + '"}', '{"": ""}', '{"a": "{\\"b\\": 1}"}',
    json.dumps(GOOD), json.dumps(GOOD, indent=2), json.dumps(GOOD, ensure_ascii=False),
    json.dumps(json.dumps(GOOD)), json.dumps(json.dumps(json.dumps(GOOD))), json.dumps("\0{}"), json.dumps("[1]"),
    '"{\\"a\\": \\"\\\\u0000\\"}"', '"{\\"a\\": \\"\\\\ud800\\"}"', '"{\\"a\\": 1e999999}"', '"\\ud83d\\ude00"',
    '"\\ud83d"',
    ' "{}"', '\n"{\\"a\\": 1}"\t', ' "{}"x', '"{}', '"{} "',
    '{"a": [[1]]}', '{"a": [[[1]]]}', '{"a": {"b": {"c": 1}}}', '{"a": {"b": {"c": {}}}}',
    '{"a": ' + "[" * 50000 + "]" * 50000 + "}",
    '{"a":' * 50000 + "1" + "}" * 50000, "[" * 100000, "{" * 100000, "select", "'; DROP TABLE x; --", "\\", "$1", "%s",
]  # fmt: skip


BY_PYTHON = {text: by_python(text) for text in ZOO}


async def objects(connection: "Connection[asyncpg.Record]", texts: list[str]) -> dict[str, Any]:
    """What the expression makes of each text, all in one statement."""
    return dict(zip(texts, map(same, await connection.fetchval(READ, texts)), strict=True))


@pytest.mark.parametrize("conforming", ["on", "off"])
async def test_a_text_is_its_object_or_null(empty, conforming):
    await empty.execute(f"SET standard_conforming_strings = {conforming}")

    assert await objects(empty, ZOO) == BY_PYTHON


@pytest.mark.parametrize("kind", ["text", "varchar", "json", "jsonb"])
async def test_events_are_read_alike_whatever_the_column_is(prisma, kind):
    await prisma.execute(f'ALTER TABLE "BusinessEvent" ALTER data TYPE {kind} USING data::{kind}')
    written = [GOOD, {"orgId": "b"}, {}]
    encodings = [json.dumps(event) for event in written] + [json.dumps(json.dumps(event)) for event in written]
    await prisma.executemany(
        f"""INSERT INTO "BusinessEvent" VALUES ($1, 'file_upload', $2::text::{kind})""",
        [*zip("123456", encodings, strict=True)],
    )
    sql = Tables.of(TablesOptions(), "public").with_clause(["business_event"])

    rows = await prisma.fetch(f"{sql} SELECT data FROM business_event ORDER BY id")
    grouped = await prisma.fetch(
        f"{sql} SELECT data ->> 'orgId' AS org, count(*) AS value FROM business_event"
        " WHERE event_type = 'file_upload' AND coalesce(data ->> 'orgId', '') <> 'a' GROUP BY 1 ORDER BY 1"
    )

    assert [json.loads(row["data"]) for row in rows] == written * 2
    assert [tuple(row) for row in grouped] == [("b", 2), ("clx0123", 2), (None, 2)]


@pytest.mark.parametrize("kind", ["json", "jsonb"])
async def test_what_json_columns_hold_is_never_an_error(empty, kind):
    await empty.execute(f"CREATE TABLE events (data {kind})")
    for text in ZOO:
        with suppress(asyncpg.PostgresError):
            await empty.execute(f"INSERT INTO events VALUES ($1::text::{kind})", text)
    await empty.execute(f"INSERT INTO events SELECT to_json(text)::{kind} FROM unnest($1::text[]) AS text", ZOO)

    rows = await empty.fetch(f"SELECT {COLUMN} AS found, data::text AS held FROM events")

    assert len(rows) > len(ZOO) + 40
    for row in rows:
        taken_as_it_is = kind == "jsonb" and row["held"].startswith("{")
        assert same(row["found"]) == (same(row["held"]) if taken_as_it_is else by_python(row["held"]))


async def test_the_column_may_have_any_name(empty):
    for name in ("text", "inside", "outside", "jsonb"):
        column = parsed(f'"{name}"')
        assert await empty.fetchval(f"""SELECT {column} FROM (SELECT '{{}}'::text AS "{name}") AS inside""") == "{}"


async def test_an_object_that_is_jsonb_already_is_taken_as_it_is(empty):
    deep = '{"a": ' + "[" * 500 + '"' + "9" * 20000 + '"' + "]" * 500 + "}"

    assert same(await empty.fetchval(f"SELECT {COLUMN} FROM (SELECT $1::text::jsonb AS data) AS t", deep))


async def test_null_stays_null(empty):
    for kind in ("text", "json", "jsonb"):
        assert await empty.fetchval(f"SELECT {COLUMN} FROM (SELECT NULL::{kind} AS data) AS t") is None


async def test_long_numbers_are_refused_in_long_texts_alone(empty):
    near = '{"a": ' + "9" * 254 + ', "b": "' + "x" * 20000 + '"}'
    beyond = '{"a": 0.' + "1" * 20000 + "}"
    overflow = '{"a": ' + "9" * 140000 + "}"

    found = await objects(empty, [near, beyond, overflow])

    assert found == {near: by_python(near), beyond: None, overflow: None}


async def test_escapes_that_the_encoding_lacks_are_no_errors(database):
    texts = [text for text in ZOO if not set(text) - set(map(chr, range(256)))]
    async with database("ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'") as latin:
        found = await objects(latin, texts)

    assert found == {text: None if "\\u" in text else BY_PYTHON[text] for text in texts}


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def encoded(draw) -> str:
    """JSON, perhaps of an object, perhaps twice encoded, perhaps with an accident."""
    value = draw(st.dictionaries(st.text(st.characters(), max_size=5), VALUES, max_size=4) | VALUES)
    text = json.dumps(value, indent=draw(st.sampled_from([None, 1])), ensure_ascii=draw(st.booleans()))
    text = json.dumps(text) if draw(st.integers(0, 4)) == 0 else text
    if draw(st.booleans()):
        begin, length = draw(st.integers(0, len(text))), draw(st.integers(0, 3))
        text = text[:begin] + draw(st.text(' \t\n",:{}[]\\/u0de19.-+xtn', max_size=2)) + text[begin + length :]
    return re.sub("[\0\ud800-\udfff]", "", text[: draw(st.sampled_from([None, -1, -2]))])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(encoded() | st.text(CHARACTERS), unique=True, min_size=1, max_size=30))
async def test_any_text_is_its_object_or_null(empty, texts):
    assert await objects(empty, texts) == {text: by_python(text) for text in texts}
