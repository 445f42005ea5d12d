"""Keys and times of what is kept: the sender's own, within bounds, or made here."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from secrets import token_hex

from aiohttp import web

from exporter.ingest.posted.fields import Malformed, is_number
from exporter.limits import Rejected

EARLY = 60.0
"""Seconds that a sender's clock may be ahead."""
_KEY = re.compile(r"[!-~]{1,128}")
_EXPECTED_KEY = "expected 1 to 128 characters of ASCII without spaces"
_EXPECTED_TIME = "expected a time such as 2026-01-31T12:00:00.000Z, or milliseconds since 1970"


class Stamps:
    """Gives the items of one request their keys and times."""

    def __init__(self, request: web.Request, count: int, now: float, late: float) -> None:
        """Raises Rejected where the header Idempotency-Key is not one."""
        self.named = False
        """Whether any key is the sender's."""
        self.now = int(now * 1000) / 1000
        self._late = late
        self._one = count == 1
        self._made: Iterator[str] = iter(())
        self._count = count
        self._header = request.headers.get("Idempotency-Key")
        if self._header is not None and not _KEY.fullmatch(self._header):
            raise Rejected(400, "body", f"Idempotency-Key: {_EXPECTED_KEY}")

    def key(self, own: object, index: int) -> str:
        """The item's key: its own, else the header's with the item's place, else a new one. Raises Malformed."""
        if own is not None:
            if not isinstance(own, str) or not _KEY.fullmatch(own):
                raise Malformed("id", _EXPECTED_KEY)
            self.named = True
            return own
        if self._header is not None:
            self.named = True
            return self._header if self._one else f"{self._header}:{index}"
        made = next(self._made, None)
        if made is None:
            self._made = iter(new_keys(self.now, self._count - index))
            made = next(self._made)
        return made

    def time(self, own: object) -> float:
        """The item's own time, or now, in seconds since 1970 and whole milliseconds. Raises Malformed."""
        if own is None:
            return self.now
        moment = _moment(own)
        if not self.now - self._late <= moment <= self.now + EARLY:
            where = f"at most {self._late:g} s ago and {EARLY:g} s ahead"
            raise Malformed("timestamp", f"expected a time {where}; what is older is sent without")
        return int(moment * 1000) / 1000


def new_keys(now: float, count: int) -> Sequence[str]:
    """Keys in the order of time, as UUIDs of version 7 are (RFC 9562), without hyphens."""
    random, front = token_hex(9 * count), f"{int(now * 1000):012x}7"
    return [f"{front}{random[at : at + 3]}8{random[at + 3 : at + 18]}" for at in range(0, 18 * count, 18)]


def _moment(own: object) -> float:
    if isinstance(own, str):
        try:
            moment = datetime.fromisoformat(own)
        except ValueError:
            raise Malformed("timestamp", _EXPECTED_TIME) from None
        if moment.tzinfo is None:
            raise Malformed("timestamp", f"{_EXPECTED_TIME}: this one has no time zone")
        return moment.timestamp()
    if isinstance(own, int | float) and is_number(own):
        return own / 1000
    raise Malformed("timestamp", _EXPECTED_TIME)
