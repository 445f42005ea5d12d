"""Kind tls."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from tests.support.running import value
from tests.support.servers import hang, http_server, raw_server

pytestmark = pytest.mark.fast

SUCCESS = 'chatterfy_probe_success{kind="tls",probe="it"}'
EXPIRY = 'chatterfy_probe_tls_certificate_expiry_timestamp_seconds{kind="tls",probe="it"}'


async def nothing(_request):
    return web.Response()


def certificate(authority, *names, **options) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


async def test_a_good_certificate_is_up_and_its_expiry_is_exact(run_probe, authority, ca_file):
    expiry = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0)

    async with http_server(nothing, certificate(authority, "localhost", not_after=expiry)) as port:
        page = await run_probe(f"kind: tls, host: localhost, port: {port}, ca_file: '{ca_file}'")

    assert value(page, SUCCESS) == 1
    assert value(page, EXPIRY) == expiry.timestamp()
    assert value(page, 'chatterfy_probe_phase_seconds{kind="tls",phase="tls",probe="it"}') is not None


async def test_the_name_to_verify_can_be_given(run_probe, authority, ca_file):
    async with http_server(nothing, certificate(authority, "app.example")) as port:
        page = await run_probe(
            f"kind: tls, host: 127.0.0.1, port: {port}, server_name: app.example, ca_file: '{ca_file}'"
        )

    assert value(page, SUCCESS) == 1


@pytest.mark.parametrize(
    ("name", "days", "detail"),
    [("localhost", -1, "certificate has expired"), ("other.example", 1, "not valid for 'localhost'")],
)
async def test_a_bad_certificate_fails_with_tls(make_probe, authority, ca_file, name, days, detail):
    tls = certificate(authority, name, not_after=datetime.now(UTC) + timedelta(days=days))

    async with http_server(nothing, tls) as port:
        probe = make_probe(f"kind: tls, host: localhost, port: {port}, ca_file: '{ca_file}'")
        page = await probe.run()

    assert probe.reason == "tls"
    assert detail in probe.detail
    assert value(page, EXPIRY) is None


async def test_a_server_that_speaks_no_tls_fails_with_tls(make_probe):
    async def greet(_reader, writer):
        writer.write(b"220 hello\r\n")
        await writer.drain()

    async with raw_server(greet) as port:
        probe = make_probe(f"kind: tls, host: 127.0.0.1, port: {port}, interval: 2s, timeout: 1s")
        await probe.run()

    assert probe.reason == "tls"


async def test_a_handshake_that_hangs_times_out_and_says_where(make_probe):
    async with raw_server(hang) as port:
        probe = make_probe(f"kind: tls, host: 127.0.0.1, port: {port}, interval: 1s, timeout: 200ms")
        await probe.run()

    assert (probe.reason, probe.detail) == ("timeout", "no answer within 0.2 s (in phase tls)")


async def test_a_closed_port_fails_with_connect(make_probe, unused_tcp_port):
    probe = make_probe(f"kind: tls, host: 127.0.0.1, port: {unused_tcp_port}")

    await probe.run()

    assert probe.reason == "connect"
