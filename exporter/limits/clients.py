"""Whose request it is: the client's address, or that of its network."""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from aiohttp import web


def client_of(request: web.Request, proxies: int) -> str:
    """The client's address; of IPv6 the /64, which one client has all of."""
    return client_at(request.remote or "", request.headers.getall("X-Forwarded-For", ()) if proxies else (), proxies)


def client_at(remote: str, forwarded: Sequence[str], proxies: int) -> str:
    """The client behind so many proxies: each adds at the end of X-Forwarded-For whom it has heard it from.

    What stands before that is the client's own word. With fewer hops than proxies, or with one that is no address,
    the header cannot be believed, and the client is whoever has connected.
    """
    hops = ",".join(forwarded).rsplit(",", proxies) if proxies else []
    if proxies and len(hops) >= proxies:
        with suppress(ValueError):
            return network_of(hops[-proxies].strip())
    with suppress(ValueError):
        return network_of(remote)
    return remote


@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """An IPv4 address as it is, an IPv6 address by its first four groups; raises ValueError for what is neither."""
    parsed = ip_address(address.partition("%")[0])  # whichever of its links an address is at
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or parsed.exploded[:19])
