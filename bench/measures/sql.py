"""What counters and histograms from SQL cost PostgreSQL, by the size of the table, and beside what scans it."""

import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.child import LOAD, python
from bench.database import RATE, Messages
from bench.peers import query_exporter_version, sql_exporter_version
from bench.report import Report, Target, figure, milliseconds
from bench.sql_exporters import INTERVAL, Running, ours, peer_query_exporter, peer_sql_exporter

SMALL, COMPARED, LARGE = 1_000_000, 5_000_000, 10_000_000
"""Messages."""
ROUNDS, PEER_ROUNDS, IDLE = 6, 2, 5
INSERTS, WRITING, SETTLE = 1000, 45, 600
"""Messages a second, for how many seconds, and how many seconds of as many lie before: as long as tokens settle."""


@dataclass(frozen=True)
class Busy:
    """What was seen while many messages came."""

    rate: float
    lag: float
    share: float
    cost: float


def measure(pace: float) -> Report:
    """Fills the table in three steps, and lets the exporters refresh at each; then lets many messages come."""
    cold: dict[int, float] = {}
    cost: dict[int, float] = {}
    peers: dict[str, float] = {}
    with TemporaryDirectory() as name, Messages() as messages:
        with python("bench.programs.writer", messages.writer_url, "--rate", RATE, core=LOAD) as writer:
            writer.facts()
            idle = _idle(messages)
            for size in (SMALL, COMPARED, LARGE):
                messages.fill(int(size * pace))
                folder = Path(name) / str(size)
                folder.mkdir()
                begin = time.perf_counter()
                with ours(folder, messages.url) as exporter:
                    exporter.round()
                    cold[size] = time.perf_counter() - begin
                    cost[size] = _cost(messages, exporter, ROUNDS, idle)
                    _check(messages, exporter)
                if size == COMPARED:
                    peers = dict(_peers(folder, messages, idle))
        messages.fill_latest(INSERTS, int(SETTLE * pace))
        busy = _busy(Path(name), messages, max(WRITING * pace, 2 * INTERVAL), idle)
    rows = [
        *((f"ours, {_millions(size, pace)}", milliseconds(used)) for size, used in cost.items()),
        *((f"{peer}, {_millions(COMPARED, pace)}", milliseconds(used)) for peer, used in peers.items()),
        (f"ours, {busy.rate:,.0f} messages a second", milliseconds(busy.cost)),
    ]
    rows += [(f"ours, from start to all counted, {_millions(size, pace)}", f"{figure(cold[size])} s") for size in cold]
    rows += [
        (f"{INSERTS:,} messages a second: oldest one not on the page, at worst", f"{figure(busy.lag)} s"),
        (f"{INSERTS:,} messages a second: the exporter's share of a core", f"{busy.share:.1%}"),
    ]
    targets = [
        Target(
            "SQL, the cheaper peer's PostgreSQL CPU against ours",
            min(peers.values()) / cost[COMPARED],
            100,
            "x",
            at_least=True,
        ),
        Target("SQL, our cost at 10 million rows against 1 million", cost[LARGE] / cost[SMALL], 1.2, "x"),
        Target("SQL, first count of 10 million rows", cold[LARGE], 30, " s"),
        Target("SQL, 1,000 inserts a second, counter's lag", busy.lag, INTERVAL, " s"),
        Target("SQL, 1,000 inserts a second, share of a core", busy.share * 100, 5, "%"),
    ]
    return Report("sql", ("What", "How much"), rows, targets)


def _idle(messages: Messages) -> float:
    """The server's CPU in a second without an exporter."""
    before = messages.cpu()
    time.sleep(IDLE)
    return (messages.cpu() - before) / IDLE


def _cost(messages: Messages, exporter: Running, rounds: int, idle: float) -> float:
    """The server's CPU for one refresh of all three queries: the least of so many, less what it uses idle.

    What disturbs a refresh only ever adds to it.
    """
    used = []
    for _ in range(rounds):
        before, begin = messages.cpu(), time.perf_counter()
        exporter.round()
        used.append(messages.cpu() - before - idle * (time.perf_counter() - begin))
    return min(used)


def _peers(folder: Path, messages: Messages, idle: float) -> Iterator[tuple[str, float]]:
    with peer_query_exporter(folder, messages.url) as peer:
        peer.round()
        yield f"query-exporter {query_exporter_version()}", _cost(messages, peer, PEER_ROUNDS, idle)
        _check(messages, peer)
    with peer_sql_exporter(folder, messages.url) as peer:
        peer.round()
        yield f"prometheus-sql-exporter {sql_exporter_version()}", _cost(messages, peer, PEER_ROUNDS, idle)
        _check(messages, peer)


def _check(messages: Messages, exporter: Running) -> None:
    """Raises RuntimeError when the page has another number of messages than there are, give or take two refreshes."""
    counted, *_ = exporter.sums()
    there = messages.count()
    if not there - 2 * INTERVAL * RATE <= counted <= there:
        raise RuntimeError(f"{counted:,.0f} of {there:,} messages are on a page")


def _busy(folder: Path, messages: Messages, seconds: float, idle: float) -> Busy:
    """Compares the page with what the writer has committed, ten times a second."""
    seen: list[tuple[float, float]] = []
    with ours(folder, messages.url, start="now") as exporter:
        counted, *_ = exporter.round()
        with python(
            "bench.programs.writer", messages.writer_url, "--rate", INSERTS, "--seconds", seconds, core=LOAD
        ) as writer:
            writer.facts()
            begin, own, used = time.perf_counter(), exporter.child.cpu(), messages.cpu()
            while (passed := time.perf_counter() - begin) < seconds:
                time.sleep(0.1)
                moment = time.perf_counter()
                seen.append((moment, exporter.sums()[0] - counted))
            share = (exporter.child.cpu() - own) / passed
            cost = (messages.cpu() - used - idle * passed) / (passed / INTERVAL)
            committed = sorted(writer.facts()["committed"])
    return Busy(len(committed) / seconds, max(_lags(seen, committed)), share, cost)


def _lags(seen: list[tuple[float, float]], committed: list[float]) -> Iterator[float]:
    """For each look at the page, the age of the oldest message that was committed and not counted."""
    for moment, counted in seen:
        if counted < bisect_right(committed, moment):
            yield moment - committed[int(counted)]
        else:
            yield 0.0


def _millions(size: int, pace: float) -> str:
    return f"{size * pace / 1e6:g} million"
