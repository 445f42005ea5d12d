"""DNS: does a name server answer, and with the right records?"""

import ipaddress
import re
from typing import Annotated, Literal, get_args

import aiodns
import pycares
from pydantic import AfterValidator

from exporter.errors import Failed, Reason
from exporter.probes.base import Probe, Run, probe

RecordType = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]

_UNREACHED: dict[int, Reason] = {aiodns.error.ARES_ETIMEOUT: "timeout", aiodns.error.ARES_ECONNREFUSED: "connect"}
"""Errors that say that the server did not answer; every other one is its answer, and a failure of `dns`."""


def _server(text: str) -> str:
    host, _, port = text.rpartition(":") if re.fullmatch(r"[^:]+:\d+|\[.+\]:\d+", text) else (text, "", "53")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise ValueError(
            f"expected a name server's IP address such as 9.9.9.9 or 127.0.0.1:5353, got {text!r}"
        ) from None
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


@probe
class DnsProbe(Probe):
    """Asks a name server for a name's records, past every cache."""

    kind: Literal["dns"]
    name: str
    """The name to look up."""
    record: RecordType = "A"
    """The record type to ask for."""
    server: Annotated[str, AfterValidator(_server)] | None = None
    """The name server's IP address, with a port if it is not 53; the system's servers otherwise."""
    expect: list[str] | None = None
    """The answers that must come, in any order, and no others (`10 mail.example.com` for MX); any answer otherwise."""

    async def check(self, run: Run) -> None:
        """Fails with dns (no such name, or the server refuses), connect, timeout, or body (other answers)."""
        # The second try waits twice as long as the first: both fit into the run's time.
        resolver = aiodns.DNSResolver([self.server] if self.server else None, timeout=self.timeout / 4, tries=2)
        async with resolver:
            with run.phase("query"):
                try:
                    result = await resolver.query_dns(self.name, self.record)
                except aiodns.error.DNSError as error:
                    code, text = error.args
                    raise Failed(_UNREACHED.get(code, "dns"), f"{self.name}: {text}") from error
        answers = sorted(_text(record) for record in result.answer if record.type == _TYPES[self.record])
        if self.expect is not None and answers != sorted(self.expect):
            raise Failed("body", f"{self.name} has {self.record} {', '.join(answers) or 'no answer'}")


_TYPES: dict[str, int] = {name: getattr(pycares, f"QUERY_TYPE_{name}") for name in get_args(RecordType)}


def _text(record: pycares.DNSRecord) -> str:
    """A record as zone files write it: its fields in order, without a type or a time to live."""
    parts = vars(record.data).values()
    return " ".join(part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts)
