"""Who may send: tokens, and pages of origins that are allowed."""

import pytest

from exporter.config.secret import Secret
from exporter.limits import Access, Visitors
from tests.support.listening import listening

pytestmark = pytest.mark.fast

TOKEN, APP, EVIL = Secret("s3cret-tokén"), "https://app.example.com", "https://evil.example.com"
BEARER = "Bearer s3cret-tokén".encode().decode("latin-1")


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (BEARER, 200),
        (BEARER.replace("Bearer", "bearer"), 200),
        (BEARER + "x", 401),
        (BEARER[:-1], 401),
        (BEARER.replace("Bearer", "Basic"), 401),
        (BEARER.removeprefix("Bearer "), 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("", 401),
        ("Bearer \xff\xfe", 401),
        ("Bearer \u00e9", 401),
    ],
)
async def test_the_token_must_be_shown_to_the_letter(clock, shown, status):
    async with listening(clock, Access(TOKEN)) as it:
        answer = await it.ask(body=b"x", Authorization=shown)
        rejected = await it.rejected("auth")

    assert answer.status == status
    assert rejected == (status == 401)
    assert "access-control-allow-origin" not in answer.headers
    assert "s3cret" not in answer.text


async def test_who_shows_no_token_is_refused_before_the_body_is_read(clock):
    async with listening(clock, Access(TOKEN)) as it:
        answer = await it.ask(Content_Length="100")

    assert (answer.status, answer.text) == (
        401, "expected the header `Authorization: Bearer` with this endpoint's token\n",
    )  # fmt: skip
    assert it.echo.came == []


async def test_a_page_may_not_send_to_an_endpoint_for_servers_and_is_told_nothing(clock):
    async with listening(clock, Access(TOKEN)) as it:
        sent = await it.ask(body=b"x", Origin=APP)
        asked = await it.ask("OPTIONS", Origin=APP, Access_Control_Request_Method="POST")

    assert (sent.status, asked.status) == (401, 405)
    assert not [name for name in (*sent.headers, *asked.headers) if name.startswith("access-control")]
    assert asked.headers["allow"] == "POST"


@pytest.mark.parametrize("origin", [APP, EVIL, "null", ""])
async def test_without_a_token_servers_may_send_and_pages_may_not(clock, origin):
    async with listening(clock, Access()) as it:
        page = await it.ask(body=b"x", Origin=origin)
        server = await it.ask(body=b"x")
        rejected = await it.rejected("origin")

    assert (page.status, page.text, server.status) == (403, "no page may send here\n", 200)
    assert rejected == 1


async def test_any_page_may_read_what_is_open(clock):
    async with listening(clock, Access(), methods=("GET", "HEAD")) as it:
        answers = [await it.ask(method, Origin=EVIL) for method in ("GET", "HEAD")]

    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize("token", [None, TOKEN])
async def test_a_page_of_an_allowed_origin_may_send_and_read_the_answer(clock, token):
    async with listening(clock, Access(token, frozenset([APP]))) as it:
        answer = await it.ask(body=b"x", Origin=APP, Cookie="session=1", Content_Type="text/plain")

    assert (answer.status, answer.text) == (200, "x")
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [EVIL, "null", "", "*", "http://app.example.com", f"{APP}:8443", f"{APP}.evil.com", f"{APP}/", APP.upper()],
)
async def test_another_origin_is_refused_whatever_it_shows_and_cannot_read_why(clock, origin):
    async with listening(clock, Access(TOKEN, frozenset([APP]))) as it:
        answer = await it.ask(body=b"x", Origin=origin, Authorization=BEARER)
        rejected = await it.rejected("origin")

    assert (answer.status, rejected) == (403, 1)
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"
    assert it.echo.came == []


async def test_with_origins_a_server_shows_the_token_and_without_one_it_may_not_send(clock):
    async with listening(clock, Access(TOKEN, frozenset([APP]))) as it:
        answers = [await it.ask(body=b"x", Authorization=BEARER), await it.ask(body=b"x")]
    async with listening(clock, Access(None, frozenset([APP]))) as it:
        answers.append(await it.ask(body=b"x"))

    assert [answer.status for answer in answers] == [200, 401, 403]


async def test_a_page_reads_why_it_was_refused(clock):
    async with listening(clock, Access(None, frozenset([APP])), body="64B") as it:
        answer = await it.ask(body=b"x" * 65, Origin=APP)

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (413, APP)


async def test_a_browser_that_asks_first_hears_what_it_may(clock):
    async with listening(clock, Access(None, frozenset([APP])), methods=("POST", "GET")) as it:
        answer = await it.ask(
            "OPTIONS",
            Origin=APP,
            Access_Control_Request_Method="POST",
            Access_Control_Request_Headers="content-type,x-anything",
        )

    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert "content-type" in answer.headers["access-control-allow-headers"].split(", ")
    assert "x-anything" not in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", [{"Origin": EVIL}, {"Origin": "null"}, {}])
async def test_a_page_of_another_origin_that_asks_first_may_nothing(clock, origin):
    async with listening(clock, Access(None, frozenset([APP]))) as it:
        answer = await it.ask("OPTIONS", Access_Control_Request_Method="POST", **origin)
        rejected = await it.rejected("origin")

    assert (answer.status, rejected) == (403, 1)
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_visitors_are_servers_and_pages_of_the_origins_that_are_named(clock):
    async with listening(clock, Visitors(None, frozenset([APP]))) as it:
        answers = [await it.ask(body=b"x", **origin) for origin in ({}, {"Origin": APP}, {"Origin": EVIL})]

    assert [answer.status for answer in answers] == [200, 200, 403]
    assert [answer.headers.get("access-control-allow-origin") for answer in answers] == [None, APP, None]


async def test_visitors_are_pages_of_all_origins_where_none_is_named_but_not_as_who_is_logged_in(clock):
    async with listening(clock, Visitors()) as it:
        sent = await it.ask(body=b"x", Origin=EVIL)
        asked = await it.ask("OPTIONS", Origin=EVIL, Access_Control_Request_Method="POST")
        server = await it.ask(body=b"x")

    assert (sent.status, asked.status, server.status) == (200, 204, 200)
    assert sent.headers["access-control-allow-origin"] == asked.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in sent.headers
    assert server.headers["access-control-allow-origin"] == "*"  # it may be kept, and given to a page later
