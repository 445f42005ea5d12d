"""HTTP answers: read within bounds, and every way to fail with its reason."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from exporter.errors import Failed
from exporter.tools.dial import reason_of


@contextmanager
def http_failures() -> Iterator[None]:
    """Turns aiohttp's errors into Failed with connect, status or body."""
    try:
        yield
    except aiohttp.TooManyRedirects as error:
        raise Failed("status", "too many redirects") from error
    except aiohttp.ServerDisconnectedError as error:
        raise Failed("connect", "the server closed the connection without an answer") from error
    except aiohttp.ClientPayloadError as error:
        raise Failed("body", "the answer's body ended early or is not as its headers say") from error
    except aiohttp.ClientOSError as error:
        raise Failed("connect", f"the connection broke: {reason_of(error)}") from error
    except aiohttp.ClientError as error:
        raise Failed("status", f"not a valid HTTP answer ({type(error).__name__})") from error


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body, inflated; raises Failed with body when it has more than `limit` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise Failed("body", f"the answer's body is longer than {limit} bytes")
    return bytes(body)
