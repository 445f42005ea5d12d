"""What POST /v1/events takes, and what it says of what it does not take."""

import json
from contextlib import AsyncExitStack

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.errors import ExporterError
from exporter.ingest.events import EventsSection
from exporter.limits import Given
from tests.support.clock import StandingClock
from tests.support.keeping import app_database, keeping
from tests.support.running import value

WALL = 1_800_000_000.0


@pytest.fixture
def nowhere(unused_tcp_port):
    """A database that refuses: what is accepted is on the disk."""
    return f"postgresql://u:p@127.0.0.1:{unused_tcp_port}/d"


@pytest.fixture
async def it(nowhere, tmp_path):
    async with keeping(nowhere, tmp_path, StandingClock(WALL)) as it:
        yield it


def event(name="user_signup", /, **more):
    return {"event": name, "data": {"userId": "u"}, **more}


SEED = [
    ("user_signup", {"userId": "u1", "source": "direct"}),
    ("user_signup", {"userId": 17}),
    ("subscription_created", {"orgId": "o", "planCode": "PRO", "amount": 4900}),
    ("subscription_cancelled", {"orgId": "o", "reason": "too expensive"}),
    ("subscription_cancelled", {"orgId": "o", "reason": None}),
    ("chat_message", {"orgId": "o", "provider": "openai", "model": "gpt-4o", "tokens": 0}),
    ("file_upload", {"orgId": "o", "fileSize": "123456789012", "fileType": ""}),
    ("file_upload", {"orgId": "o", "fileSize": 1.5, "fileType": "application/pdf", "more": [{"é": "😀"}]}),
]


@pytest.mark.fast
@pytest.mark.parametrize(("name", "data"), SEED)
async def test_the_app_s_own_events_are_taken(it, name, data):
    answer = await it.post({"event": name, "data": data})
    page = await it.page()

    assert answer == (202, '{"accepted": 1}')
    assert value(page, f'chatterfy_events_total{{event="{name}"}}') == 1


@pytest.mark.fast
async def test_one_event_several_and_one_a_line_are_taken(it):
    lines = f"{json.dumps(event())}\n\n{json.dumps(event())}\r\n"
    answers = [
        await it.post(event()),
        await it.post([event()] * 3),
        await it.post(data=lines, content_type="application/x-ndjson"),
        await it.post(data=json.dumps(event()), content_type="text/plain;charset=UTF-8"),
    ]

    assert answers == [(202, f'{{"accepted": {count}}}') for count in (1, 3, 2, 1)]


AT = "expected a time such as 2026-01-31T12:00:00.000Z, or milliseconds since 1970"
WINDOW = "timestamp: expected a time at most 300 s ago and 60 s ahead; what is older is sent without"
KEY = "expected 1 to 128 characters of ASCII without spaces"
NAMES = "chat_message, file_upload, subscription_cancelled, subscription_created, user_signup"
MALFORMED = [
    (event("user_singup"), ".event: unknown event 'user_singup' (did you mean 'user_signup'?)"),
    (event("\nx\u202e"), f".event: unknown event '\\nx\\u202e', expected one of {NAMES}"),
    (event(7), f".event: unknown event '7', expected one of {NAMES}"),
    ({"data": {}}, ".event: missing, expected the event's name"),
    ("x", ": expected an object"),
    (None, ": expected an object"),
    (event(data=[]), ".data: expected an object"),
    (event(data={}), ".data.userId: missing, expected text of 1 to 200 characters, or a whole number"),
    ({"event": "user_signup"}, ".data.userId: missing, expected text of 1 to 200 characters, or a whole number"),
    (event(data={"userId": True}), ".data.userId: expected text of 1 to 200 characters, or a whole number"),
    (event(data={"userId": "u", "source": 5}), ".data.source: expected text of 0 to 200 characters"),
    (
        event("chat_message", data={"orgId": "o", "provider": "p", "model": "m", "tokens": -1}),
        ".data.tokens: expected a number of at least 0",
    ),
    (
        event("file_upload", data={"orgId": "o", "fileSize": "1e9"}),
        ".data.fileSize: expected a number of bytes, at least 0",
    ),
    (event(timestmp="x"), ": unknown key 'timestmp' (did you mean 'timestamp'?)"),
    (event(id=""), f".id: {KEY}"),
    (event(id="a b"), f".id: {KEY}"),
    (event(id=5), f".id: {KEY}"),
    (event(timestamp="yesterday"), f".timestamp: {AT}"),
    (event(timestamp="2027-01-15T08:00:00"), f".timestamp: {AT}: this one has no time zone"),
    (event(timestamp=True), f".timestamp: {AT}"),
    (event(timestamp=10**400), f".timestamp: {AT}"),
    (event(timestamp=(WALL - 301) * 1000), f".{WINDOW}"),
    (event(timestamp=(WALL + 61) * 1000), f".{WINDOW}"),
    (event(data={"userId": "u", "x": "\0"}), ".data: expected text without the character NUL"),
    (event(data={"userId": "u", "x": [{"\0": 1}]}), ".data: expected text without the character NUL"),
    (event(data={"userId": "u", "x": {"y": ["\0"]}}), ".data: expected text without the character NUL"),
    (event(data={"userId": "u", "x": "é" * 5000}), ".data: expected at most 8192 bytes of JSON"),
    (event(data={"userId": "u", "x": [[[1]]]}), ".data: expected at most 3 levels of objects and arrays"),
]


@pytest.mark.fast
@pytest.mark.parametrize(("item", "message"), MALFORMED)
async def test_one_that_is_malformed_is_told_by_its_place_and_field_and_nothing_is_taken(it, item, message):
    answer = await it.post([event(), event(), item, event()])
    page = await it.page()

    assert answer == (400, f"events[2]{message}")
    assert value(page, 'chatterfy_events_total{event="user_signup"}') == 0
    assert value(page, "chatterfy_ingest_spool_rows") == 0
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="events",reason="body"}') == 1


BODIES = [
    (b"", "the body is not JSON: EOF while parsing a value at column 0"),
    (b'{"event": \n', "the body is not JSON: EOF while parsing a value at line 2 column 0"),
    (b'{"a": "\xff"}', "the body is not JSON: invalid unicode code point at column 8"),
    (b'{"a": "\\ud800"}', "the body is not JSON: unexpected end of hex escape at column 14"),
    (b"[]", "expected an object, an array of objects, or one on each line: the body has none"),
    (b'{"a": NaN}', "the body is not JSON: expected value at column 7"),
    (b'{"a": 1' + b"0" * 5000 + b"}", "the body is not JSON: number out of range at column 4308"),
    (b"[" * 100_000, "the body is not JSON: recursion limit exceeded at column 202"),
    (b'{"event": "user_signup", "data": {"userId": 1e999}}', "events[0].data.userId: expected text of 1 to 200"),
    (b'{"event": "user_signup", "data": {"userId": "u", "x": 1e999}}', "events[0].data: expected numbers that are not"),
    (b'{"event": "user_signup", "data": {"userId": "u", "x": [{"y": -1e999}]}}', "events[0].data: expected numbers"),
]


@pytest.mark.fast
@pytest.mark.parametrize(("body", "message"), BODIES)
async def test_a_body_that_is_no_json_is_told_so(it, body, message):
    status, told = await it.post(data=body)

    assert (status, told[: len(message)]) == (400, message)


@pytest.mark.fast
async def test_lines_are_told_by_their_number(it):
    answers = [
        await it.post(data=body, content_type="application/x-ndjson")
        for body in (b'{"event"\n', json.dumps(event()) + "\nx\n", "\n \n")
    ]

    assert answers == [
        (400, "line 1 is not JSON: EOF while parsing an object at column 8"),
        (400, "line 2 is not JSON: expected value at column 1"),
        (400, "expected an object, an array of objects, or one on each line: the body has none"),
    ]


@pytest.mark.fast
async def test_more_than_a_thousand_at_once_are_too_many(it):
    lines = "\n".join([json.dumps(event())] * 1001)
    answers = [
        await it.post([event()] * 1000),
        await it.post([event()] * 1001),
        await it.post(data=lines, content_type="application/x-ndjson"),
    ]

    assert answers == [
        (202, '{"accepted": 1000}'),
        (400, "expected at most 1000 at once"),
        (400, "expected at most 1000 at once"),
    ]


@pytest.mark.fast
async def test_a_header_that_is_no_key_is_told_so(it):
    answer = await it.post(event(), idempotency_key="a key")

    assert answer == (400, f"Idempotency-Key: {KEY}")


@pytest.mark.fast
@pytest.mark.parametrize("text", ["\\u0000", "Infinity", "-Infinity"])
async def test_text_that_only_looks_like_what_no_database_takes_is_taken(it, text):
    answer = await it.post(event(data={"userId": "u", "x": [text], text: 1}))

    assert answer[0] == 202


@pytest.mark.fast
async def test_times_within_the_window_are_kept(it):
    stamps = ["2027-01-15T08:00:00.123Z", "2027-01-15T09:59:00+02:00", WALL * 1000 + 59_000, int(WALL * 1000) - 299_000]

    answers = [await it.post(event(timestamp=stamp)) for stamp in stamps]

    assert [status for status, _ in answers] == [202] * 4


@pytest.mark.fast
async def test_without_the_token_nothing_is_taken(nowhere, tmp_path):
    sections = {"events": {"token": {"file": "token"}, "origins": ["https://app.example.com"]}}
    (tmp_path / "token").write_text("secret")
    async with keeping(nowhere, tmp_path, sections=sections) as it:
        answers = [
            await it.post(event()),
            await it.post(event(), authorization="Bearer secret"),
            await it.post(event(), origin="https://app.example.com"),
            await it.post(event(), origin="https://evil.example.com"),
        ]

    assert [status for status, _ in answers] == [401, 202, 202, 403]


@pytest.mark.fast
async def test_without_a_database_it_is_told_at_start(nowhere, tmp_path):
    async with keeping(nowhere, tmp_path) as it:
        given = Given(it.store, it.tools, "test", None, AsyncExitStack())
        for name in ("events", "requests"):
            with pytest.raises(ExporterError, match=f"ingest.{name}: .* name a database in `database.url`"):
                list(it.section(name, {}).endpoints(given))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def _floats(value):
    """With every number as a float: a column of jsonb tells no two kinds apart."""
    return json.loads(json.dumps(value), parse_int=float)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.dictionaries(st.text(st.characters(), max_size=8), json_values, max_size=4))
async def test_whatever_is_accepted_is_what_every_kind_of_column_has(taking, data):
    it, connection = taking
    status, told = await it.post({"event": "user_signup", "data": {**data, "userId": "u"}})

    if status == 202:
        rows = await connection.fetch('DELETE FROM "BusinessEvent" RETURNING data')
        assert json.loads(rows[0]["data"], parse_int=float) == _floats({**data, "userId": "u"})
    else:
        assert status == 400
        assert told.startswith(("events[0].data", "the body is not JSON"))


@pytest.fixture(params=["text", "json", "jsonb"])
async def taking(request, postgres_cluster, tmp_path):
    async with app_database(postgres_cluster) as url:
        connection = await asyncpg.connect(url)
        await connection.execute(
            f'ALTER TABLE "BusinessEvent" ALTER data TYPE {request.param} USING data::{request.param}'
        )
        async with keeping(url, tmp_path) as it:
            yield it, connection
        await connection.close()


@pytest.mark.fast
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    items=st.lists(
        json_values
        | st.fixed_dictionaries(
            {"event": st.sampled_from([name for name, _ in SEED])},
            optional={"data": json_values, "id": json_values, "timestamp": json_values},
        ),
        max_size=3,
    )
)
async def test_whatever_comes_is_answered(it, items):
    status, told = await it.post(data=json.dumps(items))

    assert status in (202, 400)
    assert "\n" not in told


def test_names_of_declared_events_must_be_free():
    for declared, message in (
        ({"chat_message": {}}, "chat_message is one of the app's own events"),
        ({"x_sum": {"metric": "histogram", "value": "v"}}, "not to end in _total"),
        ({"x": {"metric": "histogram"}}, "a histogram needs a `value`"),
        ({"x": {"labels": {"le": ["a"]}}}, "expected a label other than le, job"),
        ({"x": {"metric": "histogram", "value": "v", "buckets": [2, 1]}}, "in ascending order"),
    ):
        with pytest.raises(ValueError, match=message):
            EventsSection.model_validate({"declare": declared})
