"""What strangers send: nothing of it leads to another host, past a limit, or into a label."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest

from exporter.limits import LimitsOptions
from tests.support.relay import Relaying
from tests.support.running import value

EVENT = b'{"api_key": "phc_a", "event": "chat_message_sent", "properties": {}}'
SENT = 'chatterfy_posthog_events_total{event="chat_message_sent"}'


async def raw(it: Relaying, head: str, body: bytes = b"") -> bytes:
    """What comes back for these very bytes."""
    host, port = it.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(head.replace("\n", "\r\n").encode("latin-1") + body)
        await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.transport.abort()


def request(target: str, method: str = "GET", headers: str = "") -> str:
    return f"{method} {target} HTTP/1.1\nHost: evil.example.com\nConnection: close\n{headers}\n"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example.com/static/array.js",
        "/ingest//evil.example.com/static/array.js",
        "/ingest/static//evil.example.com/x.js",
        "/ingest/static/../e/",
        "/ingest/static/..%2fe/",
        "/ingest/static/%2e%2e/e/",
        "/ingest/static/a/../../e/",
        "/ingest/static/.git/config",
        "/ingest/static/a%2fb.js",
        "/ingest/static/a%00.js",
        "/ingest/static/a%0d%0aX:1",
        "/ingest/static/@evil.example.com",
        "/ingest/static/a\\b.js",
        "/ingest/static/",
        "/ingest/array/phc_a/../../e",
        "/ingest/array/phc_a%2f..%2f/config.js",
        "/ingest/array/a@b/config.js",
        "/ingest/api/projects/1/feature_flags/",
        "/ingest/flags/definitions",
        "/ingest/e/x",
        "/ingest/e//",
        "/ingest",
        "/",
    ],
)
async def test_what_is_no_path_of_posthogs_goes_nowhere(posthog, upstream, assets, target):
    async with posthog() as it:
        came = await raw(it, request(target))

    assert came.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
    assert upstream.came == assets.came == []


@pytest.mark.parametrize(
    "target", ["http://evil.example.com/ingest/static/a.js", "http://evil.example.com:1/ingest/static/a.js?u=//evil/"]
)
async def test_a_whole_address_in_the_request_leads_to_posthog_all_the_same(posthog, upstream, assets, target):
    async with posthog() as it:
        came = await raw(it, request(target))

    assert came.startswith(b"HTTP/1.1 200 ")
    ((path, headers),) = [(sent.path, sent.headers) for sent in assets.came]
    assert path.startswith("/static/a.js")
    assert headers["Host"] == f"127.0.0.1:{assets.port}"
    assert upstream.came == []


async def test_of_a_path_only_what_the_pattern_lets_through_goes_on(posthog, assets):
    async with posthog() as it:
        await raw(it, request("/ingest/static/%61rray.js?v=1.2&x=%2F..%2F&y=a+b"))

    assert [sent.path for sent in assets.came] == ["/static/array.js?v=1.2&x=%2F..%2F&y=a+b"]


@pytest.mark.parametrize("query", ["a=\xff", "a=\xc3\xa9", "a=\x7f"])
async def test_a_query_that_no_client_sends_is_refused(posthog, upstream, query):
    async with posthog() as it:
        came = await raw(it, request(f"/ingest/e/?{query}", "POST", f"Content-Length: {len(EVENT)}\n"), EVENT)

    assert came.split()[1] == b"400"
    assert upstream.came == []


async def test_credentials_and_the_connections_own_headers_do_not_go_on(posthog, upstream):
    headers = (
        "Cookie: session=secret\nAuthorization: Bearer secret\nProxy-Authorization: secret\nX-Api-Key: secret\n"
        "X-Forwarded-For: 192.0.2.9\nX-Forwarded-Host: evil.example.com\nX-Real-IP: 192.0.2.9\n"
        "Forwarded: for=192.0.2.9\n"
        "Connection: close, X-Secret\nX-Secret: secret\nTE: trailers\nUpgrade: h2c\nExpect: \nRange: bytes=0-1\n"
        "X-HTTP-Method-Override: DELETE\nContent-Type: text/plain\n"
        "User-Agent: caf\xe9\nAccept-Language: pt\x80\nReferer: https://app.example.com/\n"
    )

    async with posthog() as it:
        came = await raw(it, request("/ingest/e/", "POST", f"{headers}Content-Length: {len(EVENT)}\n"), EVENT)

    assert came.startswith(b"HTTP/1.1 200 ")
    ((headers, body),) = [(sent.headers, sent.body) for sent in upstream.came]
    assert headers == {
        "Host": f"127.0.0.1:{upstream.port}", "Content-Type": "text/plain", "Referer": "https://app.example.com/",
        "X-Forwarded-For": "127.0.0.1", "Content-Length": str(len(EVENT)),
    }  # fmt: skip
    assert body == EVENT


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 5\nTransfer-Encoding: chunked\n",
        "Content-Length: 68\nContent-Length: 5\n",
        "Transfer-Encoding: chunked, identity\n",
        "Transfer-Encoding : chunked\n",
        "Content-Length: +68\n",
    ],
)
async def test_a_body_whose_end_is_ambiguous_is_refused(posthog, upstream, framing):
    async with posthog() as it:
        came = await raw(it, request("/ingest/e/", "POST", framing), EVENT)

    assert came.split()[1] == b"400"
    assert upstream.came == []


async def test_what_is_sent_in_chunks_goes_on_with_its_length(posthog, upstream):
    async def chunks() -> AsyncIterator[bytes]:
        yield EVENT[:10]
        yield EVENT[10:]

    async with posthog() as it:
        await it.post("/ingest/e/", chunks())

    ((headers, body),) = [(sent.headers, sent.body) for sent in upstream.came]
    assert headers["Content-Length"] == str(len(EVENT))
    assert "Transfer-Encoding" not in headers
    assert body == EVENT


@pytest.mark.parametrize(
    ("body", "headers", "status", "told"),
    [
        (gzip.compress(bytes(5_000_000), mtime=0), {}, 413, "the inflated body is longer than 4194304 bytes"),
        (
            gzip.compress(gzip.compress(bytes(50_000_000), mtime=0), mtime=0),
            {},
            413,
            "the inflated body is longer than",
        ),
        (
            gzip.compress(bytes(5_000_000), mtime=0),
            {"Content_Encoding": "gzip"},
            413,
            "the inflated body is longer than",
        ),
        (bytes(1_100_000), {}, 413, "the body is longer than 1048576 bytes"),
        (b"not json", {}, 400, "the body is neither JSON nor gzip, base64 or a form with `data`"),
        (b"[[]]", {}, 400, "expected an event, a list of them, or an object with the list `batch`"),
        (EVENT, {"Content_Encoding": "br"}, 415, "expected no Content-Encoding, gzip or deflate"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_does_not_go_on(posthog, upstream, body, headers, status, told):
    async with posthog() as it:
        came = await it.post("/ingest/e/", body, **headers)
        page = await it.page()

    assert came[0] == status
    assert came[2].startswith(told)
    assert came[2].count("\n") == 1
    assert upstream.came == []
    reason = "size" if status == 413 else "body"
    assert value(page, f'chatterfy_ingest_rejected_total{{endpoint="posthog",reason="{reason}"}}') == 1


async def test_a_flood_of_names_makes_no_series(posthog):
    names = [*(f"attack_{number}" for number in range(900)), 'x"} 1\n', "e" * 100_000, "", None, 7]
    batch = json.dumps([{"event": name} for name in names]).encode()

    async with posthog() as it:
        before = await it.page()
        status, _, _ = await it.post("/ingest/batch/", batch)
        page = await it.page()

    assert status == 200
    assert page.count("\nchatterfy_posthog_events_total{") == before.count("\nchatterfy_posthog_events_total{") + 1
    assert value(page, 'chatterfy_posthog_events_total{event="other"}') == 902
    assert value(page, 'chatterfy_posthog_events_total{event="unknown"}') == 3
    assert "series_dropped" not in page


async def test_a_flood_of_ids_ends_the_memory_of_the_first(posthog):
    def batch(start: int) -> bytes:
        return json.dumps([{"event": "chat_message_sent", "uuid": str(start + n)} for n in range(1000)]).encode()

    async with posthog(forward=False) as it:
        await it.post("/ingest/batch/", batch(0))
        await it.post("/ingest/batch/", batch(0))
        once = value(await it.page(), SENT)
        for start in range(1000, 21_000, 1000):
            await it.post("/ingest/batch/", batch(start))
        await it.post("/ingest/batch/", batch(0))
        page = await it.page()

    assert once == 1000
    assert value(page, SENT) == 22_000


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_go_nowhere(posthog, upstream, method):
    async with posthog() as it:
        came = await raw(it, request("/ingest/e/", method))

    assert came.split()[1] == b"405"
    assert upstream.came == []


async def test_pages_of_other_origins_are_refused_and_those_that_are_named_may_read(posthog, upstream):
    async with posthog(origins=["https://app.example.com"]) as it:
        foreign = await it.post("/ingest/e/", EVENT, Origin="https://evil.example.com")
        ours = await it.post("/ingest/e/", EVENT, Origin="https://app.example.com")
        server = await it.post("/ingest/batch/", EVENT)
        preflight = await raw(
            it,
            request("/ingest/e/", "OPTIONS", "Origin: https://app.example.com\nAccess-Control-Request-Method: POST\n"),
        )

    assert foreign[0] == 403
    assert (ours[0], server[0]) == (200, 200)
    assert ours[1]["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert b"Access-Control-Allow-Methods: GET, POST" in preflight
    assert len(upstream.came) == 2


KEYS = ["phc_a", "phc_b"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/e/", EVENT, 200),
        ("/e/", b'{"api_key": "phc_x", "event": "e"}', 403),
        ("/e/", b'{"api_key": "phc_a", "batch": [{"event": "e", "properties": {"token": "phc_x"}}]}', 403),
        ("/e/", b'{"event": "e"}', 401),
        ("/e/?token=phc_x", EVENT, 403),
        ("/flags/?v=2", b'{"token": "phc_b", "distinct_id": "u"}', 200),
        ("/flags/?v=2", gzip.compress(b'{"token": "phc_x"}', mtime=0), 403),
        ("/flags/?v=2", b"{}", 401),
        ("/flags/?v=2", b"nonsense", 400),
        ("/s/", b"\x1f\x8bwhatever", 200),
        ("/i/v1/logs?token=phc_x", b"{}", 403),
    ],
)
async def test_with_keys_only_their_projects_may_send(posthog, upstream, path, body, status):
    async with posthog(keys=KEYS) as it:
        came = await it.post(f"/ingest{path}", body)

    assert came[0] == status
    assert [sent.body for sent in upstream.came] == ([body] if status == 200 else [])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/array/phc_a/config.js", 200),
        ("/array/phc_x/config.js", 403),
        ("/static/array.js", 200),
        ("/flags/?token=phc_a", 200),
        ("/flags/", 401),
        ("/api/surveys/?token=phc_x", 403),
    ],
)
async def test_with_keys_only_their_projects_may_ask(posthog, path, status):
    async with posthog(keys=KEYS) as it, it.session.get(f"{it.url}/ingest{path}") as response:
        assert response.status == status


async def test_without_keys_flags_are_not_read(posthog, upstream):
    async with posthog() as it:
        status, _, _ = await it.post("/ingest/flags/?v=2", b"nonsense")

    assert status == 200
    assert [sent.body for sent in upstream.came] == [b"nonsense"]


async def test_an_event_may_come_in_the_query(posthog, upstream):
    query = "data=eyJldmVudCI6ICJjaGF0X21lc3NhZ2Vfc2VudCJ9&ip=1"

    async with posthog() as it:
        async with it.session.get(f"{it.url}/ingest/e/?{query}") as response:
            assert response.status == 200
        page = await it.page()

    assert value(page, SENT) == 1
    assert [(sent.path, sent.body) for sent in upstream.came] == [(f"/e/?{query}", b"")]


@pytest.mark.parametrize(
    ("forwarded", "proxies", "told"),
    [
        ("192.0.2.7", 1, "192.0.2.7"),
        ("203.0.113.5, 192.0.2.7", 1, "192.0.2.7"),
        ("192.0.2.7", 0, "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", 1, "2001:0db8:0001:0002::"),
        ("::ffff:192.0.2.7", 1, "192.0.2.7"),
        ("nonsense", 1, "127.0.0.1"),
    ],
)
async def test_posthog_is_told_the_clients_address_as_far_as_it_is_believed(
    posthog, upstream, forwarded, proxies, told
):
    async with posthog(limits=LimitsOptions(proxies=proxies)) as it:
        await it.post("/ingest/e/", EVENT, X_Forwarded_For=forwarded)

    assert [sent.headers["X-Forwarded-For"] for sent in upstream.came] == [told]


async def test_posthog_need_not_be_told_the_clients_address(posthog, upstream):
    async with posthog(client_address=False) as it:
        await it.post("/ingest/e/", EVENT, X_Forwarded_For="192.0.2.7")

    assert "X-Forwarded-For" not in upstream.came[0].headers
