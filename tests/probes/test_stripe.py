"""Kind stripe, against localstripe and against servers that answer as Stripe does on bad days."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from exporter.settings import load
from tests.support.running import Once, value
from tests.support.servers import answer, closed_port, hang, http_server, raw_server, reset
from tests.support.stripe import stripe_server

pytestmark = pytest.mark.fast

KEY = "sk_test_planted_key"
OPTIONS = "kind: stripe, key: {{env: STRIPE_SECRET_KEY}}, timeout: {timeout}, interval: 6s"
LABELS = '{kind="stripe",probe="it"}'
UP = f"chatterfy_probe_success{LABELS} 1.0"
DOWN = f"chatterfy_probe_success{LABELS} 0.0"

Make = Callable[..., Once]
Handler = Callable[[web.Request], Awaitable[web.Response]]


def failed(reason: str) -> str:
    """The line that a page has after one failure for this reason."""
    return f'chatterfy_probe_failures_total{{kind="stripe",probe="it",reason="{reason}"}} 1.0'


def permitted(page: str) -> Any:
    return value(page, f"chatterfy_probe_permitted{LABELS}")


def error(status: int, message: str = "no") -> web.Response:
    """An error in the shape of Stripe's."""
    return web.json_response({"error": {"message": message, "type": "invalid_request_error"}}, status=status)


@pytest.fixture
def at(make_probe: Callable[..., Once]) -> Make:
    """A probe of the API at this address."""

    def make(api: str, timeout: str = "5s", key: str = KEY) -> Once:
        return make_probe(f'{OPTIONS.format(timeout=timeout)}, api: "{api}"', STRIPE_SECRET_KEY=key)

    return make


async def always(at: Make, response: Callable[[], web.Response]) -> tuple[Once, str]:
    """A probe that has run once against a server that always answers this, and its page."""

    async def handler(request: web.Request) -> web.Response:
        return response()

    async with http_server(handler) as port:
        probe = at(f"http://127.0.0.1:{port}")
        return probe, await probe.run()


async def test_a_good_key_is_up_and_permitted(at):
    async with stripe_server() as api:
        page = await at(api).run()

    assert UP in page
    assert permitted(page) == 1
    for phase in ("connect", "request", "response"):
        assert value(page, f'chatterfy_probe_phase_seconds{{kind="stripe",phase="{phase}",probe="it"}}') is not None


async def test_a_restricted_key_may_read_the_balance_instead(at):
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"object": "balance"}) if request.path == "/v1/balance" else error(403)

    async with http_server(handler) as port:
        page = await at(f"http://127.0.0.1:{port}").run()

    assert UP in page
    assert permitted(page) == 1
    assert asked == ["/v1/account", "/v1/balance"]


async def test_a_key_that_may_read_nothing_is_up_and_not_permitted(at):
    probe, page = await always(at, lambda: error(403))

    assert UP in page
    assert permitted(page) == 0
    assert probe.detail == "the key may read neither the account nor the balance"


async def test_a_key_that_stripe_does_not_know_is_a_matter_of_auth(at):
    async with stripe_server() as api:
        probe = at(api, key="no-key-at-all")
        page = await probe.run()

    assert failed("auth") in page
    assert probe.detail == "Stripe answered with status 401"
    assert permitted(page) is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [(301, "status"), (401, "auth"), (404, "status"), (429, "quota"), (500, "status"), (503, "status")],
)
async def test_an_error_fails_with_the_reason_of_its_status(at, status, reason):
    probe, page = await always(at, lambda: error(status))

    assert failed(reason) in page
    assert probe.detail == f"Stripe answered with status {status}"


@pytest.mark.parametrize("status", [500, 502])
async def test_an_error_need_not_be_json(at, status):
    _, page = await always(at, lambda: web.Response(status=status, text="<html>Bad Gateway</html>"))

    assert failed("status") in page


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("<html>Maintenance</html>", "the answer is not Stripe's JSON"),
        ("", "the answer is not Stripe's JSON"),
        ('{"object": "charge"}', "the answer is neither an account nor a balance"),
        ("{}", "the answer is neither an account nor a balance"),
        ("[]", "the answer is neither an account nor a balance"),
        ("1", "the answer is neither an account nor a balance"),
        (f"{' ' * 1024**2}{{}}", "the answer's body is longer than 1048576 bytes"),
    ],
    ids=["html", "nothing", "another object", "no object", "a list", "a number", "too long"],
)
async def test_an_answer_that_is_not_an_account_fails_with_body(at, body, detail):
    probe, page = await always(at, lambda: web.Response(text=body, content_type="application/json"))

    assert failed("body") in page
    assert probe.detail == detail


async def test_a_denial_by_someone_else_than_stripe_fails_with_body(at):
    _, page = await always(at, lambda: web.Response(status=403, text="<html>Blocked</html>"))

    assert failed("body") in page


async def test_an_answer_that_breaks_off_fails_with_body(at):
    async with raw_server(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")) as port:
        page = await at(f"http://127.0.0.1:{port}").run()

    assert failed("body") in page


async def test_a_redirect_is_not_followed(at):
    asked = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.headers)
        return web.json_response({"object": "account"})

    async with http_server(elsewhere) as other:
        probe, page = await always(
            at, lambda: web.Response(status=302, headers={"Location": f"http://127.0.0.1:{other}/"})
        )

    assert failed("status") in page
    assert probe.detail == "Stripe answered with status 302"
    assert asked == []


async def test_an_api_that_is_down_fails_with_connect_until_it_is_back(at):
    port = closed_port()
    probe = at(f"http://127.0.0.1:{port}")
    down = await probe.run()
    async with stripe_server(port):
        up = await probe.run()

    assert failed("connect") in down
    assert probe.job.state.results[0].detail == f"127.0.0.1:{port}: Connection refused"
    assert permitted(down) is None
    assert UP in up


async def test_a_host_name_that_does_not_exist_fails_with_dns(at):
    page = await at("http://nowhere.invalid").run()

    assert failed("dns") in page


async def test_an_api_that_hangs_times_out_until_it_answers(at):
    account = b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"object": "account"}'
    talks = [answer(account), hang]

    async def in_turn(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talks.pop()(reader, writer)

    async with raw_server(in_turn) as port:
        probe = at(f"http://127.0.0.1:{port}", timeout="300ms")
        down = await probe.run()
        up = await probe.run()

    assert failed("timeout") in down
    assert UP in up
    assert probe.job.state.results[0].detail == "no answer within 0.3 s (in phase request)"


@pytest.mark.parametrize("talk", [reset, answer(b"")], ids=["reset", "closed"])
async def test_a_connection_that_breaks_fails_with_connect(at, talk):
    async with raw_server(talk) as port:
        page = await at(f"http://127.0.0.1:{port}").run()

    assert failed("connect") in page


async def test_what_is_not_http_fails_with_status(at):
    async with raw_server(answer(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as port:
        page = await at(f"http://127.0.0.1:{port}").run()

    assert failed("status") in page


async def test_a_certificate_that_is_not_trusted_fails_with_tls(at, server_tls):
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"object": "account"})

    async with http_server(handler, server_tls) as port:
        page = await at(f"https://127.0.0.1:{port}").run()

    assert failed("tls") in page


async def test_the_probe_recovers_by_itself_from_whatever_was_wrong(at):
    bad: list[web.Response] = [error(status) for status in (401, 429, 500)] + [web.Response(text="?")]

    async def handler(request: web.Request) -> web.Response:
        return bad.pop() if bad else web.json_response({"object": "account"})

    async with http_server(handler) as port:
        probe = at(f"http://127.0.0.1:{port}")
        pages = [await probe.run() for _ in range(5)]

    assert [UP in page for page in pages] == [False] * 4 + [True]


async def test_each_run_opens_a_connection_of_its_own_and_closes_it(at):
    peers = []

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.json_response({"object": "account"})

    async with http_server(handler) as port:
        probe = at(f"http://127.0.0.1:{port}")
        for _ in range(3):
            await probe.run()

    assert len(set(peers)) == 3


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
async def test_the_key_is_shown_nowhere_even_when_the_server_repeats_it(at, status):
    with capture_logs() as logs:
        probe, page = await always(at, lambda: error(status, f"Invalid API Key provided: {KEY}"))

    assert KEY not in f"{page} {logs} {probe.detail}"
    assert "planted" not in json.dumps(logs)


async def test_the_key_is_what_the_api_gets(at):
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({"object": "account"})

    async with http_server(handler) as port:
        await at(f"http://127.0.0.1:{port}").run()

    assert seen == [f"Bearer {KEY}"]


def test_the_environment_s_key_makes_a_probe():
    probe = load(None, {"STRIPE_SECRET_KEY": KEY}).probes["stripe"]

    assert (probe.kind, probe.critical) == ("stripe", False)
    assert KEY not in repr(probe)


def test_without_a_key_there_is_no_probe():
    assert "stripe" not in load(None, {}).probes
