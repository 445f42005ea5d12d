"""Measurements that browsers post become histograms; whatever else comes is refused or ignored, and counted."""

import gzip
import json

import pytest

from tests.ingest.beacon.conftest import ORIGIN
from tests.support.relay import captured
from tests.support.running import value

TEXT = {"Origin": ORIGIN, "Content_Type": "text/plain;charset=UTF-8"}


async def send(it, *items: object, **headers: str) -> tuple[int, str]:
    status, _, text = await it.post("/v1/beacon", json.dumps(items).encode(), **TEXT | headers)
    return status, text


async def test_what_the_package_web_vitals_sent_is_counted(beacon):
    async with beacon(origins=["http://127.0.0.1:18100"]) as it:
        answers = []
        for sent in captured("web-vitals-6"):
            headers = {name.replace("-", "_"): sent.headers[name] for name in ("Origin", "Content-Type")}
            answers.append(await it.post("/v1/beacon", sent.body, **headers))
        page = await it.page()

    assert {status for status, _, _ in answers} == {204}
    seconds = {
        vital: value(page, f'chatterfy_web_vital_seconds_sum{{page="/index.html",vital="{vital}"}}')
        for vital in ("FCP", "LCP", "INP", "TTFB")
    }
    assert seconds == pytest.approx({"FCP": 0.068, "LCP": 0.068, "INP": 0.024, "TTFB": 0.0092})
    assert value(page, 'chatterfy_web_vital_score_bucket{le="0.01",page="/index.html",vital="CLS"}') == 1


async def test_one_measurement_or_many_may_be_posted_as_text_or_json_compressed_or_not(beacon):
    one = {"name": "LCP", "value": 1900, "page": "/"}
    async with beacon() as it:
        answers = [
            await it.post("/v1/beacon", json.dumps(one).encode(), **TEXT),
            await it.post(
                "/v1/beacon", json.dumps([one, one]).encode(), Origin=ORIGIN, Content_Type="application/json"
            ),
            await it.post("/v1/beacon", gzip.compress(json.dumps([one]).encode()), **TEXT),
        ]
        page = await it.page()

    assert [(status, text) for status, _, text in answers] == [(204, "")] * 3
    assert value(page, 'chatterfy_web_vital_seconds_bucket{le="1.8",page="/",vital="LCP"}') == 0
    assert value(page, 'chatterfy_web_vital_seconds_bucket{le="2.5",page="/",vital="LCP"}') == 4


async def test_chat_response_times_have_the_provider_and_the_model(beacon):
    chat = {"name": "chat_response_time", "value": 2500, "provider": "openai", "model": "gpt-5"}
    async with beacon() as it:
        await send(it, chat)
        page = await it.page()

    labels = 'model="gpt-5",provider="openai"'
    assert value(page, f'chatterfy_chat_response_seconds_bucket{{le="2.0",{labels}}}') == 0
    assert value(page, f'chatterfy_chat_response_seconds_bucket{{le="3.0",{labels}}}') == 1
    assert value(page, f"chatterfy_chat_response_seconds_sum{{{labels}}}") == 2.5


@pytest.mark.parametrize(
    ("name", "number"),
    [("LCP", -1), ("LCP", 300_001), ("CLS", 101), ("INP", 1e12), ("chat_response_time", 600_001)],
)
async def test_numbers_that_cannot_be_are_ignored_and_the_rest_of_the_beacon_counts(beacon, name, number):
    async with beacon() as it:
        answer = await send(it, {"name": name, "value": number}, {"name": "FCP", "value": 1})
        page = await it.page()

    assert answer == (204, "")
    assert value(page, f'chatterfy_beacon_ignored_total{{measure="{name}",reason="implausible"}}') == 1
    assert value(page, 'chatterfy_web_vital_seconds_count{page="unknown",vital="FCP"}') == 1
    assert len([line for line in page.splitlines() if "_count{" in line]) == 1


async def test_a_vital_that_is_reported_again_counts_once(beacon):
    first = {"name": "CLS", "value": 0.1, "delta": 0.1, "id": "v6-1-2", "rating": "good", "entries": [{}]}
    again = first | {"value": 0.3, "delta": 0.2}
    async with beacon() as it:
        await send(it, first, again)
        page = await it.page()

    assert value(page, 'chatterfy_web_vital_score_sum{page="unknown",vital="CLS"}') == 0.1
    assert value(page, 'chatterfy_beacon_ignored_total{measure="CLS",reason="repeated"}') == 1


async def test_what_no_page_has_to_say_at_once_is_refused(beacon):
    async with beacon() as it:
        many = await it.post("/v1/beacon", json.dumps([{"name": "LCP", "value": 1}] * 101).encode(), **TEXT)
        long = await it.post("/v1/beacon", b" " * 65536 + b"{}", **TEXT)

    assert (many[0], many[2]) == (400, "expected at most 100 at once\n")
    assert (long[0], long[2]) == (413, "a beacon is at most 65536 bytes long\n")


async def test_a_delta_of_null_is_none(beacon):
    async with beacon() as it:
        answer = await send(it, {"name": "LCP", "value": 1200, "delta": None, "page": "/"})
        page = await it.page()

    assert answer == (204, "")
    assert value(page, 'chatterfy_web_vital_seconds_count{page="/",vital="LCP"}') == 1


async def test_what_other_versions_of_the_package_measure_is_ignored(beacon):
    async with beacon() as it:
        answer = await send(it, {"name": "FID", "value": 3}, {"name": "Next.js-hydration", "value": 9})
        page = await it.page()

    assert answer == (204, "")
    assert value(page, 'chatterfy_beacon_ignored_total{measure="other",reason="unknown"}') == 2
    assert "FID" not in page


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body is not JSON: EOF while parsing a value at column 0"),
        (b"[]", "expected an object, an array of objects, or one on each line: the body has none"),
        (b"\xff", "the body is not JSON: expected value at column 1"),
        (b"3", "measurements[0]: expected an object"),
        (b"{}", "measurements[0].name: missing, expected one of LCP, INP, FCP, TTFB, CLS, chat_response_time"),
        (b'{"name":"LCP"}', "measurements[0].value: missing, expected a number"),
        (b'{"name":"LCP","value":"1"}', "measurements[0].value: expected a number"),
        (b'{"name":"LCP","value":true}', "measurements[0].value: expected a number"),
        (b'{"name":"LCP","value":1,"page":["/"]}', "measurements[0].page: expected text"),
        (
            b'[{"name":"LCP","value":1},{"name":["LCP"],"value":1}]',
            "measurements[1].name: expected one of LCP, INP, FCP, TTFB, CLS, chat_response_time",
        ),
    ],
)
async def test_a_malformed_beacon_is_refused_as_a_whole_with_one_line(beacon, body, told):
    async with beacon() as it:
        status, _, text = await it.post("/v1/beacon", body, **TEXT)
        page = await it.page()

    assert (status, text) == (400, f"{told}\n")
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="beacon",reason="body"}') == 1
    assert "web_vital" not in page


async def test_a_page_of_an_allowed_origin_may_send_credentials_and_read_the_answer(beacon):
    async with beacon() as it:
        _, headers, _ = await it.post("/v1/beacon", b'{"name":"LCP","value":1}', Cookie="session=1", **TEXT)
        asked = await it.session.options(
            f"{it.url}/v1/beacon", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        )

    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Cache-Control"] == "no-store"
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Methods"] == "POST"
    assert "content-type" in asked.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{ORIGIN}.evil.example", ""])
async def test_a_foreign_origin_and_none_at_all_are_refused(beacon, origin):
    headers = {"Origin": origin} if origin else {}
    async with beacon() as it:
        status, told, _ = await it.post("/v1/beacon", b'{"name":"LCP","value":1}', **headers)
        asked = await it.session.options(f"{it.url}/v1/beacon", headers=headers)
        page = await it.page()

    assert (status, asked.status) == (403, 403)
    assert "Access-Control-Allow-Origin" not in told
    assert "Access-Control-Allow-Origin" not in asked.headers
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="beacon",reason="origin"}') == 2
    assert "web_vital" not in page
