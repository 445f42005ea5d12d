"""Requests as real SDKs sent them are counted, and go on to the byte, to the host that has their path."""

import pytest

from tests.support.relay import Relaying, Sent, captured
from tests.support.running import value

EVENT = 'chatterfy_posthog_events_total{{event="{}"}}'
PASSED = (
    "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Origin", "Referer", "User-Agent",
)  # fmt: skip


async def replay(it: Relaying, method: str, sent: Sent) -> int:
    headers = {name: text for name, text in sent.headers.items() if name not in ("Connection", "Host")}
    if method == "POST":
        return await it.replay(sent)
    async with it.session.get(
        it.url + sent.path, headers=headers, skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent")
    ) as response:
        return response.status


async def test_what_the_sdk_for_browsers_sends_is_counted_and_goes_on_to_the_byte(posthog, upstream, assets):
    requests = captured("posthog-js-1.449")

    async with posthog(origins=["http://127.0.0.1:18100"]) as it:
        statuses = [await replay(it, "POST" if sent.body else "GET", sent) for sent in requests]
        page = await it.page()

    posted = [sent for sent in requests if sent.body]
    asked = [sent for sent in requests if not sent.body]
    assert statuses == [200] * 8
    assert [(sent.path, sent.body) for sent in upstream.came] == [
        (sent.path.removeprefix("/ingest"), sent.body) for sent in posted
    ]
    assert [(sent.path, sent.body) for sent in assets.came] == [
        (sent.path.removeprefix("/ingest"), b"") for sent in asked
    ]
    for came, sent in zip([*upstream.came, *assets.came], [*posted, *asked], strict=True):
        host = came.headers["Host"]
        assert host == f"127.0.0.1:{upstream.port if sent.body else assets.port}"
        wanted = {name: sent.headers[name] for name in PASSED if name in sent.headers}
        extra = {"Host": host, "X-Forwarded-For": "127.0.0.1"}
        extra |= {"Content-Length": str(len(sent.body))} if sent.body else {}
        assert came.headers == wanted | extra
    assert value(page, EVENT.format("$pageview")) == 1
    assert value(page, EVENT.format("$identify")) == 1
    assert value(page, EVENT.format("chat_message_sent")) == 1
    assert value(page, "chatterfy_posthog_forwards_total") == 8


async def test_what_the_sdk_for_python_sends_is_counted_and_goes_on_to_the_byte(posthog, upstream):
    (sent,) = captured("posthog-python-7.91")

    async with posthog(prefix="/relay/v1") as it:
        status, headers, text = await it.post(f"/relay/v1{sent.path}", sent.body, Content_Type="application/json")
        page = await it.page()

    assert (status, headers["Content-Type"], text) == (200, "application/json; charset=utf-8", '{"id": "1"}')
    ((path, body),) = [(came.path, came.body) for came in upstream.came]
    assert (path, body) == ("/batch/", sent.body)
    assert value(page, EVENT.format("file_upload")) is None
    assert value(page, EVENT.format("other")) == 1


@pytest.mark.parametrize("name", ["posthog-js-1.449", "posthog-python-7.91"])
async def test_without_posthog_events_are_counted_and_sdks_told_that_all_is_well(posthog, upstream, assets, name):
    requests = captured(name)

    async with posthog(forward=False, prefix="/ingest", events=["file_upload", "chat_message_sent"]) as it:
        for sent in requests:
            if sent.body and "flags" not in sent.path:
                path = sent.path if sent.path.startswith("/ingest") else f"/ingest{sent.path}"
                assert (await it.post(path, sent.body))[::2] == (200, '{"status": 1}')
        page = await it.page()

    assert upstream.came == assets.came == []
    assert "posthog_forwards" not in page
    seeds = "chat_message_sent" if name.startswith("posthog-js") else "file_upload"
    assert value(page, EVENT.format(seeds)) == 1


async def test_without_posthog_pages_get_settings_and_no_flags_and_no_scripts(posthog):
    async def get(path: str) -> tuple[int, object]:
        async with it.session.get(f"{it.url}/ingest{path}") as response:
            json = response.content_type == "application/json"
            return response.status, await response.json() if json else await response.text()

    async with posthog(forward=False) as it:
        config = await get("/array/phc_test_key/config")
        script = await get("/static/array.js")
        settings = await get("/array/phc_test_key/config.js")
        surveys = await get("/api/surveys/?token=phc_test_key")
        flags = await it.post("/ingest/flags/?v=2", b"{}")

    assert config == (200, {"supportedCompression": ["gzip", "gzip-js"], "hasFeatureFlags": False})
    nothing = (404, "nothing is here without PostHog: see `forward`\n")
    assert script == settings == surveys == nothing
    assert flags[0] == 200
    assert flags[2].startswith('{"flags": {}, "featureFlags": {}')


async def test_what_an_sdk_sends_again_is_counted_once_and_goes_on_each_time(posthog, upstream):
    (sent,) = captured("posthog-python-7.91")
    upstream.answers(503, "later")

    async with posthog(events=["file_upload"]) as it:
        first = await it.post("/ingest/batch/", sent.body)
        again = await it.post("/ingest/batch/", sent.body)
        page = await it.page()

    assert first[::2] == again[::2] == (503, "later")
    assert len(upstream.came) == 2
    assert value(page, EVENT.format("file_upload")) == 1
    assert value(page, 'chatterfy_posthog_forward_failures_total{reason="status"}') == 2


@pytest.mark.parametrize(
    ("path", "host"),
    [
        *(
            (path, "upstream")
            for path in ("/e", "/e/", "/i/v0/e/", "/capture/", "/batch/", "/track/", "/i/v0/ai/batch/")
        ),
        *(
            (path, "upstream")
            for path in ("/flags/?v=2", "/decide/?v=3", "/s/?ip=1", "/i/v1/logs?token=a", "/i/v1/metrics")
        ),
        *((path, "upstream") for path in ("/api/surveys/?token=a", "/api/early_access_features/?token=a")),
        *((path, "upstream") for path in ("/api/web_experiments/?token=a", "/api/product_tours/?token=a")),
        *((path, "assets") for path in ("/array/phc_a/config", "/array/phc_a/config.js", "/array/phc_a/array.js")),
        *(
            (path, "assets")
            for path in ("/static/array.js", "/static/1.449.2/web-vitals.js", "/static/array.js.map?v=1")
        ),
    ],
)
async def test_each_of_posthogs_paths_leads_to_the_host_that_has_it(posthog, upstream, assets, path, host):
    async with posthog() as it:
        async with it.session.get(f"{it.url}/ingest{path}") as response:
            asked = response.status
        posted, _, _ = await it.post(f"/ingest{path}", b'{"event": "$pageview"}')

    came = {"upstream": upstream.came, "assets": assets.came}
    events = path.split("?")[0].strip("/") in ("e", "i/v0/e", "capture", "batch", "track", "i/v0/ai/batch")
    assert asked == (400 if events else 200)  # there is no event in it
    assert posted == (405 if host == "assets" else 200)
    assert {sent.path for sent in came.pop(host)} == {path}
    assert came.popitem()[1] == []
