"""Kind dns."""

import dns.rcode
import pytest

from tests.support.dns import dns_server, silent_dns_server
from tests.support.running import value

pytestmark = pytest.mark.fast

SUCCESS = 'chatterfy_probe_success{kind="dns",probe="it"}'
ZONE = {
    ("app.example", "A"): ["192.0.2.2", "192.0.2.1"],
    ("app.example", "AAAA"): ["2001:db8::1"],
    ("app.example", "MX"): ["10 mail.app.example."],
    ("app.example", "TXT"): ['"v=spf1 -all"'],
    ("www.app.example", "CNAME"): ["app.example."],
}


@pytest.mark.parametrize(
    ("question", "expect"),
    [
        ("name: app.example", "['192.0.2.1', '192.0.2.2']"),
        ("name: app.example, record: AAAA", "['2001:db8::1']"),
        ("name: app.example, record: MX", "['10 mail.app.example']"),
        ("name: app.example, record: TXT", "['v=spf1 -all']"),
        ("name: www.app.example, record: CNAME", "[app.example]"),
    ],
)
async def test_the_expected_answer_is_up_in_any_order(run_probe, question, expect):
    async with dns_server(ZONE) as port:
        page = await run_probe(f"kind: dns, {question}, server: '127.0.0.1:{port}', expect: {expect}")

    assert value(page, SUCCESS) == 1
    assert value(page, 'chatterfy_probe_phase_seconds{kind="dns",phase="query",probe="it"}') is not None


async def test_any_answer_will_do_where_none_is_expected(run_probe):
    async with dns_server(ZONE) as port:
        page = await run_probe(f"kind: dns, name: app.example, server: '127.0.0.1:{port}'")

    assert value(page, SUCCESS) == 1


async def test_another_answer_fails_with_body_and_shows_what_came(make_probe):
    async with dns_server(ZONE) as port:
        probe = make_probe(f"kind: dns, name: app.example, server: '127.0.0.1:{port}', expect: [192.0.2.9]")
        await probe.run()

    assert (probe.reason, probe.detail) == ("body", "app.example has A 192.0.2.1, 192.0.2.2")


async def test_every_run_asks_the_server_anew(make_probe):
    probe = None
    async with dns_server(ZONE) as port:
        probe = make_probe(f"kind: dns, name: app.example, server: '127.0.0.1:{port}', interval: 1s, timeout: 400ms")
        await probe.run()
        assert probe.reason is None

    await probe.run()

    assert probe.reason in ("connect", "timeout")


@pytest.mark.parametrize(
    ("name", "rcode", "told"),
    [
        ("nowhere.example", None, "not found"),
        ("app.example", dns.rcode.SERVFAIL, "failure"),
        ("app.example", dns.rcode.REFUSED, "refused"),
    ],
)
async def test_a_refusal_of_the_server_fails_with_dns(make_probe, name, rcode, told):
    async with dns_server(ZONE, rcode) as port:
        probe = make_probe(f"kind: dns, name: {name}, server: '127.0.0.1:{port}'")
        await probe.run()

    assert probe.reason == "dns"
    assert told in probe.detail


async def test_a_silent_server_times_out(make_probe):
    async with silent_dns_server() as port:
        probe = make_probe(f"kind: dns, name: app.example, server: '127.0.0.1:{port}', interval: 1s, timeout: 400ms")
        await probe.run()

    assert probe.reason == "timeout"


async def test_without_a_server_the_systems_own_are_asked(make_probe):
    probe = make_probe("kind: dns, name: nowhere.invalid")

    await probe.run()

    assert probe.reason in ("dns", "timeout", "connect")  # as the machine's name server does with a name that cannot be


async def test_a_server_may_be_an_ipv6_address(make_probe):
    probe = make_probe("kind: dns, name: app.example, server: '[::1]:9', interval: 1s, timeout: 400ms")

    await probe.run()

    assert probe.reason in ("connect", "timeout")
