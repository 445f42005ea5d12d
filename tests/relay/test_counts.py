"""What is counted of an envelope, and what hostile ones can make of the page: nothing."""

import json
from typing import Any

import pytest

from exporter.limits import LimitsOptions
from tests.support.relay import KEY
from tests.support.running import value

PATH = f"/api/42/envelope/?sentry_key={KEY}"


def envelope(*items: tuple[str, object]) -> bytes:
    lines = ["{}"]
    for kind, payload in items:
        lines += [json.dumps({"type": kind}), payload if isinstance(payload, str) else json.dumps(payload)]
    return "\n".join(lines).encode()


@pytest.fixture
def counted(sentry):
    """The page once these items have come, each answered well."""

    async def count(*items: tuple[str, object], **options: object) -> str:
        async with sentry(forward=False, **options) as it:
            status, _, text = await it.post(PATH, envelope(*items))
            assert status == 200, text
            page: str = await it.page()
            return page

    return count


def events(page: str, level: str, environment: str = "production") -> Any:
    return value(page, f'chatterfy_sentry_events_total{{environment="{environment}",level="{level}",project="api"}}')


def sessions(page: str) -> dict[str, float]:
    names = ("started", "exited", "errored", "crashed", "abnormal", "unhandled")
    shown = {it: value(page, f'chatterfy_sentry_sessions_total{{project="api",status="{it}"}}') for it in names}
    return {status: amount for status, amount in shown.items() if amount}


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        ("fatal", "fatal"), ("warning", "warning"), ("log", "info"), ("critical", "fatal"), (None, "error"),
        ("high", "other"), (7, "other"), (["error"], "other"), ("x" * 500, "other"),
    ],
)  # fmt: skip
async def test_levels_are_sentrys_or_other(counted, level, wanted):
    page = await counted(("event", {"level": level, "environment": "production"}))

    assert events(page, wanted) == 1


async def test_usual_series_are_there_before_anything_comes(sentry):
    async with sentry() as it:
        page = await it.page()

    assert events(page, "error") == 0
    assert value(page, 'chatterfy_sentry_sessions_total{project="api",status="crashed"}') == 0
    assert value(page, 'chatterfy_sentry_forwards_total{project="api"}') == 0


async def test_environments_that_are_not_declared_are_other(counted):
    page = await counted(
        *[("event", {"environment": f"evil-{number}"}) for number in range(50)],
        ("event", {"environment": "staging"}),
        ("event", {}),
    )

    assert events(page, "error", "other") == 50
    assert events(page, "error", "staging") == 1
    assert events(page, "error", "unknown") == 1
    assert "evil" not in page
    assert "chatterfy_series_dropped_total" not in page


async def test_a_flood_of_names_ends_at_the_cap_and_declared_ones_keep_their_places(counted):
    def transaction(name: str) -> tuple[str, object]:
        return "transaction", {"transaction": name, "start_timestamp": 1.0, "timestamp": 1.5}

    page = await counted(
        *[transaction(f"GET /{letter}") for letter in "abcdefghij"],
        transaction("POST /v1/chat"),
        *[("check_in", {"monitor_slug": f"m{number}", "status": "ok"}) for number in range(10)],
        transactions={"names": ["POST /v1/chat"], "cap": 3},
        monitors={"cap": 2},
    )

    def count(name: str) -> Any:
        series = f'chatterfy_sentry_transaction_duration_seconds_count{{project="api",transaction="{name}"}}'
        return value(page, series)

    assert [count("GET /a"), count("GET /c"), count("GET /d"), count("other")] == [1, 1, None, 7]
    assert count("POST /v1/chat") == 1
    assert value(page, 'chatterfy_sentry_checkins_total{monitor="other",status="ok"}') == 8
    assert value(page, 'chatterfy_sentry_checkins_total{monitor="m1",status="ok"}') == 1


async def test_ids_are_taken_out_of_transactions_names_by_own_rules_first(counted):
    names = ["GET /users/17", "GET /users/18?x=1", "GET /t/acme/files/3", "/1" * 300]

    page = await counted(
        *[("transaction", {"transaction": name, "start_timestamp": 1, "timestamp": 2}) for name in names],
        transactions={"rules": [{"match": "/t/[a-z]+", "replace": "/t/:org"}]},
    )

    shown = 'chatterfy_sentry_transaction_duration_seconds_count{{project="api",transaction="{}"}}'
    assert value(page, shown.format("GET /users/:id")) == 2
    assert value(page, shown.format("GET /t/:org/files/:id")) == 1
    assert value(page, shown.format("other")) == 1


@pytest.mark.parametrize(
    ("status", "failed"),
    [("ok", 0), (None, 0), ("cancelled", 0), ("unknown", 0), ("internal_error", 1), ("not_found", 1), (5, 1)],
)
async def test_transactions_fail_as_sentry_counts_failures(counted, status, failed):
    page = await counted(
        (
            "transaction",
            {
                "transaction": "t",
                "start_timestamp": "2026-11-24T02:52:47.500Z",
                "timestamp": "2026-11-24T02:52:48Z",
                "contexts": {"trace": {"status": status}},
            },
        )
    )

    assert value(page, 'chatterfy_sentry_transaction_errors_total{project="api",transaction="t"}') == failed
    assert value(page, 'chatterfy_sentry_transaction_duration_seconds_sum{project="api",transaction="t"}') == 0.5


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (2, 1), (None, 1), (0, 1e6), ("yesterday", 1), (1, "never"), (1, 1e300), (-1e300, 1), ([], {}), (1, "NaN"),
        ("0001-01-01T00:00:00+23:59", 1),
    ],
)  # fmt: skip
async def test_a_duration_that_cannot_be_is_not_observed(counted, start, end):
    page = await counted(("transaction", {"transaction": "t", "start_timestamp": start, "timestamp": end}))

    assert "chatterfy_sentry_transaction_duration_seconds_count{" not in page


async def test_of_spans_the_segments_are_counted(counted):
    span = {"start_timestamp": 1.0, "end_timestamp": 1.25, "is_segment": True, "status": "ok"}
    spans = [
        span | {"name": "GET /users/17"},
        span | {"name": "GET /users/18", "status": "error"},
        span | {"name": "SELECT", "is_segment": False},
        span | {"is_segment": True},
    ]

    page = await counted(("span", {"items": spans}), ("span", {"items": "none"}), ("span", {"description": "old"}))

    labels = '{project="api",transaction="GET /users/:id"}'
    assert value(page, f"chatterfy_sentry_transaction_duration_seconds_count{labels}") == 2
    assert value(page, f"chatterfy_sentry_transaction_errors_total{labels}") == 1
    assert 'transaction="SELECT"' not in page
    assert value(page, 'chatterfy_sentry_transaction_duration_seconds_count{project="api",transaction="unknown"}') == 1


@pytest.mark.parametrize(
    ("updates", "wanted"),
    [
        ([("ok", True, 0), ("exited", False, 0)], {"started": 1, "exited": 1}),
        ([("ok", True, 0), ("ok", False, 1), ("exited", False, 1)], {"started": 1, "errored": 1}),
        ([("ok", True, 0), ("crashed", False, 1)], {"started": 1, "crashed": 1}),
        ([("exited", True, 2)], {"started": 1, "errored": 1}),  # as the SDK for Python reports an application's
        ([("abnormal", True, 0)], {"started": 1, "abnormal": 1}),
        ([("odd", True, None)], {"started": 1}),
    ],
)
async def test_what_befell_a_session_counts_once(counted, updates, wanted):
    page = await counted(
        *[("session", {"status": status, "init": init, "errors": errors}) for status, init, errors in updates]
    )

    assert sessions(page) == wanted


async def test_sessions_that_were_summed_up_are_counted_within_reason(counted):
    page = await counted(
        ("sessions", {"aggregates": [{"exited": 7, "errored": 2}, {"crashed": 1, "exited": -5}, "x"]}),
        ("sessions", {"aggregates": [{"abnormal": 10**30, "exited": "many"}]}),
    )

    assert sessions(page) == {"started": 10_010, "exited": 7, "errored": 2, "crashed": 1, "abnormal": 10_000}


async def test_what_sdks_dropped_is_counted_by_declared_reasons_and_categories(counted):
    def loss(reason: object, category: object, quantity: object) -> dict[str, object]:
        return {"reason": reason, "category": category, "quantity": quantity}

    losses = [loss("queue_overflow", "error", 23), loss("evil", "error", 1), loss(None, "evil", 1), loss("x", "y", [])]

    page = await counted(("client_report", {"discarded_events": losses}))

    series = 'chatterfy_sentry_outcomes_total{{category="{}",reason="{}"}}'
    assert value(page, series.format("error", "queue_overflow")) == 23
    assert value(page, series.format("error", "other")) == 1
    assert value(page, series.format("other", "unknown")) == 1
    assert value(page, series.format("other", "other")) == 0
    assert "evil" not in page


async def test_check_ins_of_a_job_begin_at_0_so_that_its_first_failure_is_an_increase(counted):
    page = await counted(
        ("check_in", {"monitor_slug": "daily", "status": "in_progress"}), monitors={"names": ["nightly"]}
    )

    for monitor, began in (("daily", 1), ("nightly", 0)):
        found = [
            value(page, f'chatterfy_sentry_checkins_total{{monitor="{monitor}",status="{status}"}}')
            for status in ("in_progress", "ok", "error", "other")
        ]
        assert found == [began, 0, 0, 0]


async def test_check_ins_have_sentrys_statuses_or_other(counted):
    page = await counted(
        ("check_in", {"monitor_slug": "daily", "status": "ok"}),
        ("check_in", {"monitor_slug": "daily", "status": {"a": 1}}),
    )

    assert value(page, 'chatterfy_sentry_checkins_total{monitor="daily",status="ok"}') == 1
    assert value(page, 'chatterfy_sentry_checkins_total{monitor="daily",status="other"}') == 1


async def test_items_of_other_kinds_are_passed_over(counted):
    page = await counted(("attachment", "not JSON"), ("replay_recording", "\x01\x02"), ("of-tomorrow", "?"))

    assert value(page, 'chatterfy_sentry_items_total{item="attachment",project="api"}') == 1
    assert value(page, 'chatterfy_sentry_items_total{item="other",project="api"}') == 1


@pytest.mark.parametrize(
    "payload",
    [
        r'{"level":"fatal","message":"half a \ud83d","environment":"production"}',
        '{"level":"fatal","environment":"production","value":NaN}',
        '{"level":"fatal","environment":"production","deep":' + "[" * 400 + "]" * 400 + "}",
    ],
    ids=["half a character", "NaN", "deep"],
)
async def test_what_sdks_write_a_little_wrong_is_counted_all_the_same(counted, payload):
    page = await counted(("event", payload))

    assert events(page, "fatal") == 1


async def test_a_transaction_whose_contexts_are_odd_is_counted(counted):
    page = await counted(
        ("transaction", {"transaction": "t", "start_timestamp": 1, "timestamp": 2, "contexts": [{"trace": 1}]})
    )

    assert value(page, 'chatterfy_sentry_transaction_errors_total{project="api",transaction="t"}') == 0


@pytest.mark.parametrize(
    ("body", "status", "wanted"),
    [
        (b"no envelope", 400, "the envelope's header is not a JSON object on the first line\n"),
        (b'{}\n{"type":"event"}\nnot JSON', 400, "a payload is not JSON\n"),
        (b'{}\n{"type":"event"}\n[]', 400, "a payload is not a JSON object\n"),
        (b'{}\n{"type":"event","length":99}\n{}', 400, "item 1: its `length` is not that of its payload\n"),
        (b"{}\n" + b'{"type":"x"}\n\n' * 70_000, 413, "the envelope has more than 1000 items\n"),
        (
            envelope(("event", {}), ("client_report", {"discarded_events": [{}] * 1001})),
            413,
            "the envelope has more than 1000 spans or other entries\n",
        ),
        (
            envelope(("span", {"items": [{}] * 600}), ("span", {"items": [{}] * 600})),
            413,
            "the envelope has more than 1000 spans or other entries\n",
        ),
    ],
)
async def test_what_is_malformed_is_refused_whole_in_one_line(sentry, upstream, body, status, wanted):
    async with sentry() as it:
        answer = await it.post(PATH, body)
        page = await it.page()

    assert (answer[0], answer[2]) == (status, wanted)
    assert upstream.came == []
    assert events(page, "error") == 0
    reason = "body" if status == 400 else "size"
    assert value(page, f'chatterfy_ingest_rejected_total{{endpoint="sentry",reason="{reason}"}}') == 1


async def test_more_than_is_read_of_an_envelope_is_refused_and_attachments_are_not_read(sentry):
    limits = LimitsOptions(body="8MiB", inflated="8MiB")
    large = "x" * 3_000_000

    async with sentry(forward=False, limits=limits) as it:
        event = await it.post(PATH, envelope(("event", {"message": large})))
        attachment = await it.post(PATH, envelope(("attachment", large)))

    assert (event[0], attachment[0]) == (413, 200)
    assert event[2] == "what the envelope has beside attachments is longer than 2097152 bytes\n"
