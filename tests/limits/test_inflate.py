"""Compressed bodies: what they may be, and how far they may grow."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.limits import Rejected
from exporter.limits.inflate import inflated

pytestmark = pytest.mark.fast

LIMIT = 10_000
TEXT = b'{"event": "user_signup"}'
ZIPPED, DEFLATED = gzip.compress(TEXT, mtime=0), zlib.compress(TEXT)


def raw(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


def refusal(body: bytes, encoding: str = "") -> tuple[int, str, str]:
    with pytest.raises(Rejected) as rejected:
        inflated(body, encoding, LIMIT)
    return rejected.value.status, rejected.value.reason, rejected.value.message


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (ZIPPED, "gzip"),
        (ZIPPED, " GZip "),
        (ZIPPED, "x-gzip"),
        (ZIPPED, ""),
        (ZIPPED, "identity"),
        (DEFLATED, "deflate"),
        (raw(TEXT), "Deflate"),
    ],
)
def test_what_sdks_and_browsers_send_is_read(body, encoding):
    assert inflated(body, encoding, LIMIT) == TEXT


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip,", "identity,gzip", "gzip;q=1", "x", "\xff"])
def test_other_encodings_and_several_are_refused(encoding):
    assert refusal(ZIPPED, encoding) == (415, "body", "expected no Content-Encoding, gzip or deflate")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw])
def test_a_body_may_grow_to_the_limit_and_no_further(pack):
    encoding = "gzip" if pack is gzip.compress else "deflate"

    assert inflated(pack(b"\0" * LIMIT), encoding, LIMIT) == b"\0" * LIMIT
    assert refusal(pack(b"\0" * (LIMIT + 1)), encoding) == (
        413, "size", "the inflated body is longer than 10000 bytes",
    )  # fmt: skip


def test_a_bomb_does_not_go_off():
    bomb = gzip.compress(b"\0" * 2**26, mtime=0)

    assert refusal(bomb)[0] == 413
    assert refusal(bomb * 10)[0] == 413


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (TEXT, "gzip", "the body is not gzip, as its Content-Encoding says"),
        (b"", "gzip", "the body is not gzip, as its Content-Encoding says"),
        (b"", "deflate", "the body's compression ends early"),
        (b"x", "deflate", "the body's compression ends early"),
        (TEXT, "deflate", "the body's compression is broken"),
        (ZIPPED[:-1], "", "the body's compression ends early"),
        (ZIPPED[:2], "", "the body's compression ends early"),
        (ZIPPED[:10] + b"\xff" + ZIPPED[11:], "", "the body's compression is broken"),
        (ZIPPED[:-5] + b"\0" + ZIPPED[-4:], "", "the body's compression is broken"),
        (ZIPPED + ZIPPED, "", "the body goes on after its compression has ended"),
        (gzip.compress(b"", mtime=0) * 20_000, "", "the body goes on after its compression has ended"),
        (ZIPPED + b"\0", "", "the body goes on after its compression has ended"),
        (DEFLATED + b"\0", "deflate", "the body goes on after its compression has ended"),
    ],
)
def test_what_is_no_whole_stream_is_refused(body, encoding, told):
    assert refusal(body, encoding) == (400, "body", told)


@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate", "identity"]), st.booleans())
def test_any_bytes_are_read_or_refused_with_one_line(body, encoding, magic):
    status, told = verdict(b"\x1f\x8b\x08\0" + body if magic else body, encoding)

    assert status in (200, 400, 413)
    assert "\n" not in told


def verdict(body: bytes, encoding: str) -> tuple[int, str]:
    """How it ends, and with which words."""
    try:
        inflated(body, encoding, 100)
    except Rejected as rejected:
        return rejected.status, rejected.message
    return 200, ""


@given(st.binary(max_size=300), st.sampled_from([gzip.compress, zlib.compress, raw]))
def test_what_was_compressed_comes_back(data, pack):
    assert inflated(pack(data), "" if pack is gzip.compress else "deflate", LIMIT) == data
