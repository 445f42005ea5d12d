"""Kind tcp."""

import pytest

from tests.support.running import value
from tests.support.servers import hang, raw_server

pytestmark = pytest.mark.fast


async def test_an_open_port_is_up_and_shows_the_time_to_connect(run_probe):
    async with raw_server(hang) as port:
        page = await run_probe(f"kind: tcp, host: 127.0.0.1, port: {port}")

    assert 'chatterfy_probe_success{kind="tcp",probe="it"} 1.0' in page
    assert value(page, 'chatterfy_probe_phase_seconds{kind="tcp",phase="connect",probe="it"}') is not None


async def test_a_closed_port_is_down(run_probe, unused_tcp_port):
    page = await run_probe(f"kind: tcp, host: 127.0.0.1, port: {unused_tcp_port}")

    assert 'chatterfy_probe_success{kind="tcp",probe="it"} 0.0' in page
    assert 'chatterfy_probe_failures_total{kind="tcp",probe="it",reason="connect"} 1.0' in page


async def test_a_host_name_is_looked_up_as_a_phase_of_its_own(run_probe):
    async with raw_server(hang) as port:
        page = await run_probe(f"kind: tcp, host: localhost, port: {port}")

    assert value(page, 'chatterfy_probe_phase_seconds{kind="tcp",phase="dns",probe="it"}') is not None


async def test_a_name_that_does_not_exist_fails_with_dns_and_never_reaches_the_connection(make_probe):
    probe = make_probe("kind: tcp, host: nowhere.invalid, port: 80")

    page = await probe.run()

    assert 'chatterfy_probe_failures_total{kind="tcp",probe="it",reason="dns"} 1.0' in page
    assert 'phase="connect"' not in page
    assert probe.detail.startswith("nowhere.invalid: ")
