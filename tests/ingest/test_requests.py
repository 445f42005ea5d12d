"""What POST /v1/metrics takes, and what it says of what it does not take."""

import pytest

from tests.support.keeping import keeping
from tests.support.running import value

pytestmark = pytest.mark.fast

REQUEST = {"type": "api_request", "endpoint": "/v1/chat", "method": "POST", "duration": 12, "status": 200}


@pytest.fixture
async def it(unused_tcp_port, tmp_path):
    nowhere = f"postgresql://u:p@127.0.0.1:{unused_tcp_port}/d"
    async with keeping(nowhere, tmp_path) as it:
        yield it


async def test_lines_of_the_request_log_are_taken_and_again_under_their_key_once(it):
    answers = [
        await it.post(REQUEST, "/v1/metrics"),
        await it.post([{**REQUEST, "id": "a"}, {**REQUEST, "id": "a"}, {**REQUEST, "endpoint": "/é?q"}], "/v1/metrics"),
        await it.post(REQUEST, "/v1/metrics", idempotency_key="a"),
    ]
    page = await it.page()

    assert answers == [(202, f'{{"accepted": {count}}}') for count in (1, 3, 1)]
    assert value(page, "chatterfy_ingest_spool_rows") == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"type": "metric"}, '.type: expected "api_request"'),
        ({"endpoint": "v1"}, ".endpoint: expected a path such as /v1/chat/completions"),
        ({"endpoint": "/\0"}, ".endpoint: expected a path such as /v1/chat/completions"),
        ({"endpoint": "/é\0"}, ".endpoint: expected a path such as /v1/chat/completions"),
        ({"endpoint": None}, ".endpoint: missing, expected a path such as /v1/chat/completions"),
        ({"method": "get"}, ".method: expected a method such as GET"),
        ({"method": 1}, ".method: expected a method such as GET"),
        ({"duration": "1"}, ".duration: expected milliseconds, at least 0"),
        ({"duration": -1}, ".duration: expected milliseconds, at least 0"),
        ({"status": "200"}, ".status: expected a status from 100 to 599"),
        ({"status": 99}, ".status: expected a status from 100 to 599"),
        ({"statuss": 99}, ": unknown key 'statuss' (did you mean 'status'?)"),
        ({"timestamp": "x"}, ".timestamp: expected a time such as"),
    ],
)
async def test_one_that_is_malformed_is_told_by_its_place_and_field(it, wrong, message):
    status, told = await it.post([REQUEST, {**REQUEST, **wrong}], "/v1/metrics")

    assert status == 400
    assert told.startswith(f"requests[1]{message}")


async def test_what_is_no_object_is_told(it):
    answer = await it.post(["x"], "/v1/metrics")

    assert answer == (400, "requests[0]: expected an object")
