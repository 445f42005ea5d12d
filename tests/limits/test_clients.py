"""Whose request it is: behind proxies, in networks, and where somebody lies."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.limits.clients import client_at

pytestmark = pytest.mark.fast

PROXY, CLIENT, LIE = "10.0.0.1", "192.0.2.7", "6.6.6.6"
ANY_HEADER = st.lists(st.text(st.characters(codec="latin-1"), max_size=60), max_size=3)
ADDRESS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@pytest.mark.parametrize(
    ("forwarded", "proxies", "client"),
    [
        ([], 0, PROXY),
        ([CLIENT], 0, PROXY),
        ([CLIENT], 1, CLIENT),
        ([f"{LIE}, {CLIENT}"], 1, CLIENT),
        ([LIE, CLIENT], 1, CLIENT),
        ([f"{LIE},,{CLIENT} "], 1, CLIENT),
        ([f"{LIE}, {CLIENT}, 10.0.0.2"], 2, CLIENT),
        ([f"{LIE}, {CLIENT}", "10.0.0.2"], 2, CLIENT),
        ([], 1, PROXY),
        ([CLIENT], 2, PROXY),
        (["unknown"], 1, PROXY),
        ([f"{CLIENT}, "], 1, PROXY),
        ([f"{LIE}, unknown, 10.0.0.2"], 2, PROXY),
        (["::ffff:192.0.2.7"], 1, CLIENT),
        (["2001:db8:1:2:3:4:5:6"], 1, "2001:0db8:0001:0002"),
        (["fe80::1%eth0"], 1, "fe80:0000:0000:0000"),
    ],
)
def test_the_client_is_whom_the_outermost_proxy_of_ours_has_heard(forwarded, proxies, client):
    assert client_at(PROXY, forwarded, proxies) == client


def test_a_connection_without_an_address_is_one_client():
    assert client_at("", [], 0) == ""


@given(ANY_HEADER, st.integers(0, 8))
def test_no_header_breaks_it_and_no_text_becomes_a_client(forwarded, proxies):
    client = client_at(PROXY, forwarded, proxies)

    assert ip_address(f"{client}::" if client.count(":") == 3 else client)


@given(ANY_HEADER, ADDRESS, st.lists(ADDRESS, min_size=1, max_size=4))
def test_what_a_client_says_of_itself_changes_nothing(lies, remote, hops):
    honest = client_at(remote, [", ".join(hops)], len(hops))

    assert client_at(remote, [*lies, ", ".join(hops)], len(hops)) == honest


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_network_of_ipv6_is_one_client(network, one, other):
    first, second = (ip_network((network << 64, 64))[host] for host in (one, other))

    assert client_at(str(first), [], 0) == client_at(PROXY, [str(second)], 1) or network == 0
