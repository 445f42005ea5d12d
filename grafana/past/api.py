"""The API's requests and how long they took, as the exporter counts them from the request log."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import accumulate, pairwise
from math import exp, log
from operator import add

from exporter.demo.catalogue import ENDPOINTS, SLOTS, Endpoint
from exporter.metrics.catalogue import CATALOGUE
from grafana.past.book import TARGET, Book
from grafana.past.chance import Wave, dice, poisson
from grafana.past.grid import TIMED, Grid
from grafana.past.pace import FAILING, Pace
from grafana.past.shape import Observed, below, mean, write_histogram

REFUSED = {"401": 0.0075, "404": 0.007, "422": 0.003, "429": 0.002}
"""The share of requests that are the client's own fault, by status, as in the demo's history."""
FAILED = {"500": 0.6, "503": 0.3, "504": 0.1}
"""The shares of the failures in the incident; on other days there is 500 alone."""
SPREAD, WAIT, WAIT_SPREAD = 0.5, 9.0, 0.35
"""Durations are lognormal around the endpoint's median; who waits for the database does so around WAIT seconds."""
EARLIER = 6_100_000
"""Requests that had been counted before the first moment."""

REQUESTS, DURATION = "chatterfy_http_requests_total", "chatterfy_http_request_duration_seconds"


def endpoints() -> list[tuple[Endpoint, float]]:
    """Each endpoint and its share of all requests."""
    return [(endpoint, weight / SLOTS) for endpoint, weight in Counter(ENDPOINTS).items()]


def write_api(book: Book, pace: Pace, some: Iterable[tuple[Endpoint, float]]) -> None:
    """Requests and durations of some endpoints."""
    for endpoint, part in some:
        _durations(book, pace, endpoint, _requests(book, pace, endpoint, part))


def _requests(book: Book, pace: Pace, endpoint: Endpoint, part: float) -> list[int]:
    """Writes the endpoint's requests by status, and returns how many there were in all since the moment before."""
    random, success = dice(REQUESTS, endpoint.path, endpoint.method), str(endpoint.success)
    counts: dict[str, list[int]] = {status: [] for status in (success, *REFUSED, *FAILED)}
    for time, expected in zip(pace.grid.times, pace.requests, strict=True):
        shares = _shares(success, pace.failing(time), pace.waiting(time))
        for status, added in counts.items():
            added.append(poisson(random, expected * part * shares.get(status, 0.0)))
    for status, share in _shares(success, FAILING, 0.0).items():
        counts[status][0] += round(EARLIER * part * share)
    for status, added in counts.items():
        born = [value or None for value in accumulate(added)]  # a status has no series until it was answered once
        book.ours(REQUESTS, (endpoint.path, endpoint.method, status), pace.grid, born)
    return [sum(column) for column in zip(*counts.values(), strict=True)]


def _shares(success: str, failing: float, waiting: float) -> dict[str, float]:
    """What part of the requests is answered with which status."""
    failures = FAILED if waiting else {"500": 1.0}
    return {success: 1 - failing} | REFUSED | {status: failing * part for status, part in failures.items()}


def _durations(book: Book, pace: Pace, endpoint: Endpoint, counts: list[int]) -> None:
    """Buckets that add up to these counts."""
    grid, wave = Grid(pace.story, TIMED), Wave(0.14, DURATION, endpoint.path, endpoint.method)
    shares, means = [], []
    for time in grid.times:
        waiting = pace.waiting(time)
        load = (0.9 + 0.12 * pace.busy(time)) * (1 + 1.5 * waiting)
        median = _rounded(endpoint.median_ms / 1000 * wave(time) * load)
        shares.append(_below(median, round(waiting, 2)))
        means.append(mean(median, SPREAD) * (1 - waiting) + waiting * mean(WAIT, WAIT_SPREAD))
    labels = TARGET | {"endpoint": endpoint.path, "method": endpoint.method}
    write_histogram(book, DURATION, labels, grid, Observed(_at(grid, pace.grid, counts), shares, means))


def _rounded(median: float) -> float:
    """To 2 %, so that few medians have to be looked at."""
    return exp(round(50 * log(median)) / 50)


@cache
def _below(median: float, waiting: float) -> tuple[float, ...]:
    """The share of requests that are below each bound."""
    bounds = CATALOGUE[DURATION].buckets
    quick = [below(bound, median, SPREAD) * (1 - waiting) for bound in bounds]
    slow = [below(bound, WAIT, WAIT_SPREAD) * waiting for bound in bounds]
    return (*map(add, quick, slow),)


def _at(grid: Grid, finer: Grid, counts: list[int]) -> list[int]:
    """The counts of a grid that has all these moments, and some between."""
    totals = dict(zip(finer.times, accumulate(counts), strict=True))
    values = [totals[time] for time in grid.times]
    return [values[0], *(after - before for before, after in pairwise(values))]
