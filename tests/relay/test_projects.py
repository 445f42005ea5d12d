"""Only the projects of the configuration may send, and nothing that is sent says where it goes on to."""

from typing import Any

import aiohttp
import pytest

from tests.support.relay import KEY
from tests.support.running import value

EMPTY = b"{}\n"
AUTH = f"Sentry sentry_version=7, sentry_key={KEY}, sentry_client=x/1"


def naming(dsn: object) -> bytes:
    return f'{{"dsn":"{dsn}"}}\n'.encode()


def rejected(page: str, reason: str, endpoint: str = "sentry") -> Any:
    return value(page, f'chatterfy_ingest_rejected_total{{endpoint="{endpoint}",reason="{reason}"}}')


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("query", "headers", "body"),
    [
        (f"?sentry_key={KEY}", {}, EMPTY),
        ("", {"X_Sentry_Auth": AUTH}, EMPTY),
        ("", {}, naming(f"https://{KEY}@anywhere.example.com/42")),
        (f"?sentry_key={KEY}", {}, naming(f"https://{KEY}@anywhere.example.com/42")),
    ],
    ids=["query", "header", "envelope", "both"],
)
async def test_the_key_may_be_in_the_query_in_a_header_or_in_the_envelope(
    sentry, upstream, query, headers, body, slash
):
    async with sentry() as it:
        status, _, _ = await it.post(f"/api/42/envelope{slash}{query}", body, **headers)

    assert status == 200
    assert [sent.path for sent in upstream.came] == ["/api/42/envelope/"]


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/api/42/envelope/", {}, EMPTY, 401),
        ("/api/42/envelope/", {}, b'{"dsn":17}\n', 401),
        ("/api/42/envelope/", {}, naming("not a DSN"), 401),
        ("/api/42/envelope/?sentry_key=wrong", {}, EMPTY, 403),
        ("/api/42/envelope/?sentry_key=", {}, EMPTY, 403),
        (f"/api/43/envelope/?sentry_key={KEY}", {}, EMPTY, 403),
        ("/api/42/envelope/", {"X_Sentry_Auth": "Sentry sentry_key=wrong"}, EMPTY, 403),
        ("/api/42/envelope/", {}, naming("https://wrong@anywhere.example.com/42"), 403),
        ("/api/42/envelope/", {}, naming(f"https://{KEY}@anywhere.example.com/43"), 403),
        (f"/api/42/envelope/?sentry_key={KEY}", {}, naming("https://wrong@anywhere.example.com/42"), 403),
        ("/api/42/store/", {}, b'{"level":"error"}', 401),
        ("/api/42/store/?sentry_key=wrong", {}, b'{"level":"error"}', 403),
    ],
)
async def test_who_shows_no_project_is_refused(sentry, upstream, path, headers, body, status):
    async with sentry() as it:
        answer = await it.post(path, body, **headers)
        page = await it.page()

    assert answer[0] == status
    assert KEY not in answer[2]
    assert "wrong" not in answer[2]
    assert upstream.came == []
    assert rejected(page, "auth") == 1


async def test_two_projects_do_not_pass_for_each_other(exporter, upstream):
    there = f"127.0.0.1:{upstream.port}"
    text = "ingest: {listen: '127.0.0.1:0', sentry: {projects: {api: {dsn: {env: A}}, web: {dsn: {env: B}}}}}"

    async with (
        exporter(text, A=f"http://a@{there}/1", B=f"http://b@{there}/2") as it,
        aiohttp.ClientSession(it.app.ingest_url) as session,
    ):
        statuses = []
        for path, body in [
            ("/api/1/envelope/?sentry_key=a", EMPTY),
            ("/api/2/envelope/?sentry_key=b", EMPTY),
            ("/api/1/envelope/?sentry_key=b", EMPTY),
            ("/api/1/envelope/?sentry_key=a", naming(f"http://b@{there}/2")),
            ("/api/1/envelope/", naming(f"http://b@{there}/2")),
        ]:
            async with session.post(path, data=body) as response:
                statuses.append(response.status)

    assert statuses == [200, 200, 403, 403, 403]
    assert [sent.path for sent in upstream.came] == ["/api/1/envelope/", "/api/2/envelope/"]


@pytest.mark.parametrize(
    ("dsn", "status"),
    [
        ("http://{key}@127.0.0.1:{port}/42", 200),
        ("http://{key}:secret@127.0.0.1:{port}/42", 200),  # of before 2018, with a secret that is not used
        ("http://{key}@127.0.0.1:{other}/42", 403),
        ("http://{key}@169.254.169.254/42", 403),
        ("https://{key}@127.0.0.1:{port}/42", 403),
        ("http://{key}@127.0.0.1:{port}/path/42", 403),
        ("http://{key}@127.0.0.1:{port}/43", 403),
        ("http://wrong@127.0.0.1:{port}/42", 403),
        ("http://{key}@127.0.0.1:{port}@evil.example.com/42", 401),
        ("http://{key}@127.0.0.1:{port}#@evil.example.com/42", 401),
        ("http://{key}@127.0.0.1:{port}/42?x", 401),
        ("gopher://{key}@127.0.0.1:{port}/42", 401),
        ("", 401),
    ],
)
async def test_the_tunnel_takes_one_dsn_to_the_letter(sentry, upstream, unused_tcp_port, dsn, status):
    body = naming(dsn.format(key=KEY, port=upstream.port, other=unused_tcp_port))

    async with sentry() as it:
        answer = await it.post(f"/monitoring?sentry_key={KEY}", body, X_Sentry_Auth=AUTH)
        page = await it.page()

    assert answer[0] == status
    assert [sent.body for sent in upstream.came] == ([body] if status == 200 else [])
    assert rejected(page, "auth", "sentry_tunnel") == (status != 200)
    assert "evil" not in page + answer[2]


@pytest.mark.parametrize("said", ["", "x" * 101, "x\x7f", "ä", "None"])
async def test_a_client_that_does_not_say_what_it_is_passes_as_the_exporter(sentry, upstream, said):
    async with sentry() as it:
        await it.session.post(
            f"{it.url}/api/42/envelope/", params={"sentry_key": KEY, "sentry_client": said}, data=EMPTY
        )

    assert "sentry_client=chatterfy-exporter/" in upstream.came[0].headers["X-Sentry-Auth"]


async def test_pages_of_allowed_origins_may_send_and_see_what_they_shall_send_less_of(sentry, upstream):
    upstream.answers(429, X_Sentry_Rate_Limits="60:error:key", Retry_After="60")

    async with sentry(origins=["https://app.example.com"]) as it:
        status, headers, _ = await it.post(
            f"/api/42/envelope/?sentry_key={KEY}", EMPTY, Origin="https://app.example.com", Content_Type="text/plain"
        )

    assert status == 429
    assert headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert headers["Access-Control-Expose-Headers"] == "X-Sentry-Rate-Limits, Retry-After"
    assert headers["X-Sentry-Rate-Limits"] == "60:error:key"


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null"])
async def test_pages_of_other_origins_may_not_send_and_servers_may(sentry, upstream, origin):
    path = f"/api/42/envelope/?sentry_key={KEY}"

    async with sentry(origins=["https://app.example.com"]) as it:
        page = await it.post(path, EMPTY, Origin=origin)
        server = await it.post(path, EMPTY)

    assert (page[0], server[0]) == (403, 200)
    assert len(upstream.came) == 1


async def test_a_browser_that_asks_first_may_send(sentry):
    async with (
        sentry(origins=["https://app.example.com"]) as it,
        it.session.options(f"{it.url}/monitoring", headers={"Origin": "https://app.example.com"}) as response,
    ):
        assert response.status == 204
        assert "x-sentry-auth" in response.headers["Access-Control-Allow-Headers"]


async def test_an_old_sdk_may_send_a_bare_event(sentry, upstream):
    body = b'{"level":"warning","environment":"production","message":"old"}'

    async with sentry() as it:
        status, _, _ = await it.post("/api/42/store/", body, X_Sentry_Auth=AUTH, Content_Type="application/json")
        page = await it.page()

    assert status == 200
    assert [(sent.path, sent.body) for sent in upstream.came] == [("/api/42/store/", body)]
    series = 'chatterfy_sentry_events_total{environment="production",level="warning",project="api"}'
    assert value(page, series) == 1


async def test_without_a_tunnel_there_is_none(sentry):
    async with sentry(tunnel=None) as it:
        assert (await it.post("/monitoring", EMPTY))[0] == 404
