"""Kind http."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from tests.support.running import value
from tests.support.servers import answer, hang, http_server, raw_server, reset

pytestmark = pytest.mark.fast

SUCCESS = 'chatterfy_probe_success{kind="http",probe="it"}'
STATUS = 'chatterfy_probe_http_status_code{kind="http",probe="it"}'
EXPIRY = 'chatterfy_probe_tls_certificate_expiry_timestamp_seconds{kind="http",probe="it"}'
QUICK = "interval: 2s, timeout: 1s"


def failures(reason: str) -> str:
    return f'chatterfy_probe_failures_total{{kind="http",probe="it",reason="{reason}"}} 1.0'


def phases(page: str) -> set[str]:
    return {name for name in ("dns", "connect", "tls", "request", "response") if f'phase="{name}"' in page}


async def fine(_request):
    return web.json_response({"status": "healthy", "checks": {"database": "healthy"}, "count": 3})


async def test_a_good_answer_is_up_with_its_status_and_phases(run_probe):
    async with http_server(fine) as port:
        page = await run_probe(f"kind: http, url: 'http://127.0.0.1:{port}/health'")

    assert value(page, SUCCESS) == 1
    assert value(page, STATUS) == 200
    assert phases(page) == {"connect", "request", "response"}


async def test_a_host_name_is_looked_up_in_a_phase_of_its_own(run_probe):
    async with http_server(fine) as port:
        page = await run_probe(f"kind: http, url: 'http://localhost:{port}/health'")

    assert phases(page) == {"dns", "connect", "request", "response"}


async def test_every_run_opens_a_connection_of_its_own(make_probe):
    peers = set()

    async def note(request):
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response()

    async with http_server(note) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/'")
        for _ in range(3):
            await probe.run()

    assert len(peers) == 3


async def test_method_headers_and_body_are_sent_and_secrets_come_from_the_environment(run_probe):
    got: dict[str, str] = {}

    async def note(request):
        got.update(
            method=request.method,
            key=request.headers["X-Key"],
            plain=request.headers["X-Plain"],
            body=await request.text(),
        )
        return web.Response(status=401)

    async with http_server(note) as port:
        page = await run_probe(
            f"kind: http, url: 'http://127.0.0.1:{port}/v1/chat/completions', method: POST, status: [401, 2xx], "
            "headers: {X-Key: {env: KEY}, X-Plain: text}, body: '{}'",
            KEY="planted-secret",
        )

    assert got == {"method": "POST", "key": "planted-secret", "plain": "text", "body": "{}"}
    assert value(page, SUCCESS) == 1
    assert "planted-secret" not in page


@pytest.mark.parametrize(
    ("status", "reason"),
    [(500, "status"), (404, "status"), (401, "auth"), (403, "auth"), (429, "quota"), (503, "status")],
)
async def test_another_status_than_wanted_fails_with_its_reason(make_probe, status, reason):
    async def refuse(_request):
        return web.Response(status=status)

    async with http_server(refuse) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/'")
        page = await probe.run()

    assert value(page, SUCCESS) == 0
    assert failures(reason) in page
    assert value(page, STATUS) == status
    assert probe.detail == f"the status is {status}"


@pytest.mark.parametrize(
    ("check", "detail"),
    [
        ("matches: 'heal(thy|ed)'", ""),
        ("matches: '^nothing$'", "the answer's body does not match '^nothing$'"),
        ("json: {status: healthy, checks.database: healthy, count: 3}", ""),
        ("json: {checks.database: sick}", 'checks.database is not "sick"'),
        ("json: {checks.cache: healthy}", 'checks.cache is not "healthy"'),
    ],
)
async def test_the_body_is_held_against_a_pattern_and_json_values(make_probe, check, detail):
    async with http_server(fine) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', {check}")
        page = await probe.run()

    assert value(page, SUCCESS) == (0 if detail else 1)
    assert probe.detail == detail
    assert (failures("body") in page) is bool(detail)


async def test_a_body_that_is_not_json_fails_where_json_is_wanted(make_probe):
    async def text(_request):
        return web.Response(text="<html>")

    async with http_server(text) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', json: {{status: healthy}}")
        await probe.run()

    assert (probe.reason, probe.detail) == ("body", "the answer's body is not JSON")


async def test_an_endless_body_fails_with_body_before_the_time_is_over(make_probe):
    async def flood(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    async with raw_server(flood) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', body_limit: 256KiB, {QUICK}")
        await probe.run()

    assert (probe.reason, probe.detail) == ("body", "the answer's body is longer than 262144 bytes")


async def test_a_compressed_bomb_is_capped_by_its_inflated_size(make_probe):
    async def bomb(_request):
        response = web.Response(body=b"0" * 5_000_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with http_server(bomb) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/'")
        await probe.run()

    assert probe.reason == "body"


async def test_a_body_that_ends_early_fails_with_body(make_probe):
    async with raw_server(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', {QUICK}")
        await probe.run()

    assert (probe.reason, probe.detail) == ("body", "the answer's body ended early or is not as its headers say")


async def test_a_closed_port_fails_with_connect(make_probe, unused_tcp_port):
    probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{unused_tcp_port}/'")

    page = await probe.run()

    assert (probe.reason, probe.detail) == ("connect", f"127.0.0.1:{unused_tcp_port}: Connection refused")
    assert phases(page) == {"connect"}
    assert value(page, STATUS) is None


async def test_a_reset_connection_fails_with_connect(make_probe):
    async with raw_server(reset) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', {QUICK}")
        await probe.run()

    assert probe.reason == "connect"


async def test_a_connection_closed_without_an_answer_fails_with_connect(make_probe):
    async with raw_server(answer(b"")) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', {QUICK}")
        await probe.run()

    assert probe.reason == "connect"


async def test_an_answer_that_is_not_http_fails_with_status(make_probe):
    async with raw_server(answer(b"220 mail.example.com ESMTP\r\n\r\n")) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', {QUICK}")
        await probe.run()

    assert probe.reason == "status"
    assert probe.detail.startswith("not a valid HTTP answer")


async def test_a_server_that_never_answers_times_out_in_the_request_phase(make_probe):
    async with raw_server(hang) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', interval: 1s, timeout: 200ms")
        page = await probe.run()

    assert (probe.reason, probe.detail) == ("timeout", "no answer within 0.2 s (in phase request)")
    assert phases(page) == {"connect", "request"}


async def test_slow_headers_time_out(make_probe):
    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Slow: 1\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw_server(drip) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', interval: 1s, timeout: 300ms")
        await probe.run()

    assert probe.reason == "timeout"


async def redirecting(request):
    step = int(request.path.strip("/"))
    if step == 0:
        return web.Response(text="there")
    raise web.HTTPFound(f"/{step - 1}")


async def test_redirects_are_followed_and_their_phases_add_up(run_probe):
    async with http_server(redirecting) as port:
        page = await run_probe(f"kind: http, url: 'http://127.0.0.1:{port}/3', matches: there")

    assert value(page, SUCCESS) == 1
    assert value(page, STATUS) == 200


async def test_a_redirect_loop_fails_with_status(make_probe):
    async with http_server(redirecting) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/9'")
        await probe.run()

    assert (probe.reason, probe.detail) == ("status", "too many redirects")


async def test_without_redirects_the_redirect_itself_is_the_answer(run_probe):
    async with http_server(redirecting) as port:
        page = await run_probe(f"kind: http, url: 'http://127.0.0.1:{port}/9', redirects: 0, status: 3xx")

    assert value(page, STATUS) == 302
    assert value(page, SUCCESS) == 1


async def test_a_good_certificate_is_verified_and_its_expiry_shown(run_probe, server_tls, ca_file):
    async with http_server(fine, server_tls) as port:
        page = await run_probe(f"kind: http, url: 'https://localhost:{port}/', ca_file: '{ca_file}'")

    assert value(page, SUCCESS) == 1
    assert phases(page) == {"dns", "connect", "tls", "request", "response"}
    assert value(page, EXPIRY) > datetime.now(UTC).timestamp()


async def test_phases_do_not_overlap(make_probe, server_tls, ca_file):
    async with http_server(fine, server_tls) as port:
        probe = make_probe(f"kind: http, url: 'https://localhost:{port}/', ca_file: '{ca_file}'")
        await probe.run()

    result = probe.job.state.results[-1]
    assert [name for name, _ in result.phases] == ["dns", "connect", "tls", "request", "response"]
    assert 0 < sum(seconds for _, seconds in result.phases) <= result.duration
    assert all(seconds > 0 for _, seconds in result.phases)


async def test_an_unknown_signer_fails_with_tls_unless_verification_is_off(make_probe, server_tls):
    async with http_server(fine, server_tls) as port:
        strict = make_probe(f"kind: http, url: 'https://127.0.0.1:{port}/'")
        await strict.run()
        loose = make_probe(f"kind: http, url: 'https://127.0.0.1:{port}/', verify: false")
        page = await loose.run()

    assert strict.reason == "tls"
    assert "certificate" in strict.detail
    assert value(page, SUCCESS) == 1
    assert value(page, EXPIRY) is None


def server_context(authority, *names, **options) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


async def test_an_expired_certificate_fails_with_tls(make_probe, authority, ca_file):
    expired = server_context(authority, "localhost", not_after=datetime.now(UTC) - timedelta(days=1))

    async with http_server(fine, expired) as port:
        probe = make_probe(f"kind: http, url: 'https://localhost:{port}/', ca_file: '{ca_file}'")
        await probe.run()

    assert (probe.reason, probe.detail) == ("tls", "localhost: certificate has expired")


async def test_a_certificate_of_another_name_fails_with_tls(make_probe, authority, ca_file):
    async with http_server(fine, server_context(authority, "other.example")) as port:
        probe = make_probe(f"kind: http, url: 'https://localhost:{port}/', ca_file: '{ca_file}'")
        await probe.run()

    assert probe.reason == "tls"
    assert "not valid for 'localhost'" in probe.detail


async def test_a_server_without_tls_fails_with_tls(make_probe):
    async with http_server(fine) as port:
        probe = make_probe(f"kind: http, url: 'https://127.0.0.1:{port}/', {QUICK}")
        await probe.run()

    assert probe.reason == "tls"


async def test_a_connection_lost_in_the_handshake_fails_with_tls(make_probe):
    async def leave(reader, _writer):
        await reader.read(1)

    async with raw_server(leave) as port:
        probe = make_probe(f"kind: http, url: 'https://127.0.0.1:{port}/', {QUICK}")
        await probe.run()

    assert probe.reason == "tls"


async def test_the_ip_family_can_be_chosen(make_probe):
    async with http_server(fine) as port:
        four = make_probe(f"kind: http, url: 'http://localhost:{port}/', ip: ipv4")
        await four.run()
        six = make_probe(f"kind: http, url: 'http://localhost:{port}/', ip: ipv6")
        await six.run()

    assert four.reason is None
    assert six.reason in ("connect", "dns")  # nothing listens on ::1, or the machine has no IPv6 at all


async def test_a_name_that_does_not_exist_fails_with_dns(make_probe):
    probe = make_probe("kind: http, url: 'http://nowhere.invalid/'")

    page = await probe.run()

    assert probe.reason == "dns"
    assert phases(page) == {"dns"}


async def test_old_values_outlive_a_failure_until_they_are_stale(make_probe, clock):
    async with http_server(fine) as port:
        probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{port}/', stale_after: 25s", clock=clock)
        await probe.run()
    seen = []

    for _ in range(3):
        await clock.advance(10)
        seen.append(value(await probe.run(), STATUS))

    assert probe.reason == "connect"
    assert seen == [200, 200, None]


async def test_a_probe_recovers_by_itself(make_probe, unused_tcp_port):
    probe = make_probe(f"kind: http, url: 'http://127.0.0.1:{unused_tcp_port}/'")
    down = await probe.run()

    async with http_server(fine, port=unused_tcp_port):
        up = await probe.run()

    assert (value(down, SUCCESS), value(up, SUCCESS)) == (0, 1)
