"""What waits for the exporter: in order, in batches, under the same ids until it is taken, and not for ever."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from exporter.demo.outbox import BATCH, MOST, Outbox
from exporter.demo.posting import Post

pytestmark = pytest.mark.fast


class Exporter:
    """Answers with these statuses, then with 202; `came` is what was posted."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.came: list[Post] = []

    async def send(self, post: Post) -> int:
        self.came.append(post)
        return self._statuses.pop(0) if self._statuses else 202

    @property
    def ids(self) -> list[list[int]]:
        return [[item["id"] for item in items(post)] for post in self.came]


def items(post: Post) -> list[dict[str, Any]]:
    return list(json.loads(post.body))


def noted(ids: Iterable[int]) -> list[dict[str, Any]]:
    return [{"id": number} for number in ids]


async def test_nothing_is_posted_where_nothing_waits(clock):
    exporter = Exporter()

    assert await Outbox("/v1/events", "token", clock).send(exporter.send)
    assert exporter.came == []


async def test_what_waits_is_posted_with_the_token_and_the_moment_it_was_noted(clock):
    exporter, outbox = Exporter(), Outbox("/v1/events", "token", clock)
    at = clock.now()
    outbox.add(noted([1, 2]))
    await clock.advance(5)

    assert await outbox.send(exporter.send)
    (post,) = exporter.came
    assert post.path == "/v1/events"
    assert post.headers == {"Content-Type": "application/json", "Authorization": "Bearer token"}
    assert items(post) == [{"id": number, "timestamp": at * 1000} for number in (1, 2)]


@pytest.mark.parametrize("status", [0, 401, 429, 503])
async def test_what_is_not_taken_is_sent_again_under_the_same_ids_before_what_came_later(clock, status):
    exporter, outbox = Exporter(status), Outbox("/v1/events", None, clock)
    outbox.add(noted([1]))
    first = await outbox.send(exporter.send)
    outbox.add(noted([2]))

    assert await outbox.send(exporter.send)
    assert not first
    assert exporter.ids == [[1], [1, 2]]


async def test_what_has_waited_for_a_minute_is_sent_without_its_time(clock):
    exporter, outbox = Exporter(), Outbox("/v1/events", None, clock)
    outbox.add(noted([1]))
    await clock.advance(61)
    outbox.add(noted([2]))

    await outbox.send(exporter.send)
    assert items(exporter.came[0]) == [{"id": 1}, {"id": 2, "timestamp": clock.now() * 1000}]


async def test_much_is_sent_in_batches_and_of_too_much_the_oldest_is_lost(clock):
    exporter, outbox = Exporter(), Outbox("/v1/events", None, clock)
    outbox.add(noted(range(MOST + 1)))

    await outbox.send(exporter.send)
    assert {len(ids) for ids in exporter.ids} == {BATCH}
    assert [number for ids in exporter.ids for number in ids] == list(range(1, MOST + 1))
