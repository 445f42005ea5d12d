"""Bodies without their compression, as far as they may grow."""

import zlib

from exporter.limits.rejected import Rejected

GZIP = b"\x1f\x8b"
_GZIP_WINDOW, _ZLIB_WINDOW, _RAW_WINDOW = 31, 15, -15


def inflated(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its compression, which magic bytes tell where the header does not; raises Rejected.

    `encoding` is the Content-Encoding; one that names several is none that SDKs or browsers send.
    """
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise Rejected(415, "body", "expected no Content-Encoding, gzip or deflate")
    if body[:2] == GZIP:
        return _inflate(body, _GZIP_WINDOW, limit)
    if encoding == "deflate":
        return _inflate(body, _ZLIB_WINDOW if _is_zlib(body) else _RAW_WINDOW, limit)
    if encoding in ("gzip", "x-gzip"):
        raise Rejected(400, "body", "the body is not gzip, as its Content-Encoding says")
    return body


def _is_zlib(body: bytes) -> bool:
    """Whether the body begins as RFC 1950 says; `deflate` means that, but some send the bare stream of RFC 1951."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    machine = zlib.decompressobj(window)
    try:
        out = machine.decompress(body, limit + 1)
    except zlib.error:
        raise Rejected(400, "body", "the body's compression is broken") from None
    if len(out) > limit:
        raise Rejected(413, "size", f"the inflated body is longer than {limit} bytes")
    if not machine.eof:
        raise Rejected(400, "body", "the body's compression ends early")
    if machine.unused_data:
        # A second member: no SDK sends one, and a body of fifty thousand empty ones would take seconds to read.
        raise Rejected(400, "body", "the body goes on after its compression has ended")
    return out
