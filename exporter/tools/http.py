"""HTTP answers: read within bounds, and every way to fail with its reason."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from exporter.clock import Clock
from exporter.errors import ExporterError, Failed
from exporter.tools.dial import reason_of

ANSWER = 5.0
"""Seconds that a server has for an answer to `ask`."""
LIMIT = 16 * 1024 * 1024
"""Bytes of the longest answer to `ask`."""


@dataclass(frozen=True)
class Answer:
    """What a server said; the body is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def ask(session: aiohttp.ClientSession, clock: Clock, method: str, url: str, **options: Any) -> Answer:
    """One request within bounds; redirects are not followed. Raises ExporterError, which begins with the URL."""
    try:
        async with clock.timeout(ANSWER):
            with http_failures():
                async with session.request(method, url, allow_redirects=False, **options) as response:
                    return Answer(response.status, response.headers, await read_body(response, LIMIT))
    except TimeoutError as error:
        raise ExporterError(f"{url}: no answer within {ANSWER:g} s") from error
    except Failed as failure:
        raise ExporterError(f"{url}: {failure.detail}") from failure


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
