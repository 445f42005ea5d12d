"""What users do and pay: signups, messages, tokens, cost, uploads, subscriptions."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

from exporter.demo.catalogue import FILE_TYPES, MODELS, PLANS, REASONS, SLOTS, SOURCES, Model
from grafana.past.book import Book
from grafana.past.chance import Wave, dice, poisson
from grafana.past.pace import Pace
from grafana.past.story import DAY, Story, share

MESSAGES, UPLOADS, SIGNUPS, CREATED, CANCELLED = 0.25, 0.02, 0.0006, 0.00011, 0.00004
"""For each request, so many of these."""
USERS, SUBSCRIPTIONS, LEFT = 6900, 1100, 240
"""Those who had signed up, subscribed and left before the first moment."""
RELEASED, RELEASED_SHARE, RELEASED_OVER = "claude-sonnet", 0.35, 4 * DAY
"""The model that is new, the share of messages that it has in the end, and how long that takes."""
TOKENS, TOKENS_SPREAD = 1200, 1000
"""Of a message: mean and standard deviation."""
LEAVING = 11
"""Those whom the price change drives away, beyond the usual."""

Key = TypeVar("Key", bound=Hashable)


class Business:
    """Running totals at each moment of the pace's grid."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.signups = _totals(self._drawn("signups", SIGNUPS, parts_of(SOURCES)), _split(USERS, parts_of(SOURCES)))
        created = self._drawn("created", CREATED, parts_of(PLANS))
        self.created = _totals(created, _split(SUBSCRIPTIONS + LEFT, parts_of(PLANS)))
        cancelled = self._drawn("cancelled", CANCELLED, parts_of(REASONS))
        self._leave(cancelled)
        self.cancelled = _totals(cancelled, _split(LEFT, parts_of(REASONS)))
        self.uploads = self._drawn("uploads", UPLOADS, parts_of(FILE_TYPES))
        self.messages = {model: self._written(model, part) for model, part in parts_of(MODELS).items()}
        self.tokens = {model: _tokens(model, counts) for model, counts in self.messages.items()}

    def _drawn(self, name: str, ratio: float, parts: Mapping[Key, float]) -> dict[Key, list[int]]:
        """How many of each came since the moment before."""
        return {key: self._draw(dice(name, key), ratio * part) for key, part in parts.items()}

    def _draw(self, random: Random, ratio: float) -> list[int]:
        return [poisson(random, requests * ratio) for requests in self.pace.requests]

    def _leave(self, cancelled: dict[str, list[int]]) -> None:
        random, (begin, end) = dice("leaving"), self.pace.story.churn
        places = [place for place, time in enumerate(self.pace.grid.times) if begin <= time < end]
        for _ in range(LEAVING):
            cancelled["switched" if random.random() < 0.2 else "too_expensive"][random.choice(places)] += 1

    def _written(self, model: Model, part: float) -> list[int]:
        random, wave, story = dice("messages", model.name), Wave(0.2, model.name, hours=6), self.pace.story
        counts = []
        for time, requests in zip(self.pace.grid.times, self.pace.requests, strict=True):
            now = share_of(model, part, time, story)
            counts.append(poisson(random, requests * MESSAGES * wave(time) * now))
        return counts


def share_of(model: Model, part: float, time: int, story: Story) -> float:
    """The model's share of all messages at this moment, where `part` was usual before another was new."""
    released = parts_of(MODELS)[next(model for model in MODELS if model.name == RELEASED)]
    new = RELEASED_SHARE * share(time, (story.release, story.release + RELEASED_OVER))
    return new if model.name == RELEASED else part * (1 - new) / (1 - released)


def write_business(book: Book, business: Business) -> None:
    """The counters that are read from the app's tables."""
    grid = business.pace.grid
    for source, totals in business.signups.items():
        book.ours("chatterfy_signups_total", (source,), grid, totals)
    for plan, totals in business.created.items():
        book.ours("chatterfy_subscriptions_created_total", (plan.code,), grid, totals)
    for reason, totals in business.cancelled.items():
        book.ours("chatterfy_subscriptions_cancelled_total", (reason,), grid, totals)
    for file_type, counts in business.uploads.items():
        _write_uploads(book, business, file_type, counts)
    for model, counts in business.messages.items():
        _write_model(book, business, model, counts)


def _write_uploads(book: Book, business: Business, file_type: str, counts: list[int]) -> None:
    random, grid = dice("bytes", file_type), business.pace.grid
    files = sum(counts) * 2
    sizes = [sum([min(100_000_000, int(random.lognormvariate(13, 1.5))) for _ in range(count)]) for count in counts]
    book.ours("chatterfy_file_uploads_total", (file_type,), grid, _running(counts, files))
    book.ours("chatterfy_file_upload_bytes_total", (file_type,), grid, _running(sizes, files * 1_360_000))


def _write_model(book: Book, business: Business, model: Model, counts: list[int]) -> None:
    """A model that is new has no series until somebody has used it."""
    grid, labels = business.pace.grid, (model.provider, model.name)
    before = 0 if model.name == RELEASED else sum(counts) * 2
    messages, tokens = _running(counts, before), _running(business.tokens[model], before * TOKENS)
    price = float(model.usd_per_million) / 1_000_000
    book.ours("chatterfy_messages_total", labels, grid, [value or None for value in messages])
    book.ours("chatterfy_tokens_total", labels, grid, [value or None for value in tokens])
    book.ours("chatterfy_usage_cost_usd_total", labels, grid, [round(value * price, 4) or None for value in tokens])


def _tokens(model: Model, counts: list[int]) -> list[int]:
    random = dice("tokens", model.name)
    return [max(20 * n, round(random.gauss(TOKENS * n, TOKENS_SPREAD * n**0.5))) if n else 0 for n in counts]


def parts_of(slots: Sequence[Key]) -> dict[Key, float]:
    """Each choice's share."""
    return {choice: count / SLOTS for choice, count in Counter(slots).items()}


def _split(total: int, parts: Mapping[Key, float]) -> dict[Key, int]:
    return {key: round(total * part) for key, part in parts.items()}


def _totals(counts: Mapping[Key, list[int]], before: Mapping[Key, int]) -> dict[Key, list[int]]:
    return {key: _running(added, before[key]) for key, added in counts.items()}


def _running(added: Sequence[int], before: int) -> list[int]:
    return list(accumulate(added, initial=before))[1:]
