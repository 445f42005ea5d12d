"""The probes' series."""

from collections.abc import Sequence
from math import exp

from exporter.errors import PROBE_REASONS
from exporter.metrics.catalogue import CATALOGUE
from grafana.past.book import TARGET, Book, Value
from grafana.past.chance import Wave, dice
from grafana.past.grid import EVEN, PLAIN, RECENT, STILL, Grid
from grafana.past.probes import INTERVAL, TIMEOUT, Probe
from grafana.past.shape import Observed, below, mean, write_histogram
from grafana.past.story import Story, share, within

DURATION = "chatterfy_probe_duration_seconds"
MOST = 97
"""Connections that the database takes."""
KEPT = 3 * INTERVAL
"""Seconds that a dependency's last values outlive a failure."""


class Watch:
    """Writes what the exporter says of each probe."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.even, self.plain = Grid(story, EVEN), Grid(story, PLAIN)
        self.recent, self.still = Grid(story, RECENT), Grid(story, STILL)
        self.wave = Wave(0.3, "connections", hours=3)

    def write(self, book: Book, probe: Probe) -> None:
        """All series of one probe."""
        up = [0 if probe.reason(time) else 1 for time in self.even.times]
        book.ours("chatterfy_probe_success", probe.labels, self.even, up)
        critical = [int(probe.critical)] * len(self.plain.times)
        book.ours("chatterfy_probe_critical", probe.labels, self.plain, critical)
        self._counts(book, probe)
        self._durations(book, probe)
        self._moments(book, probe)
        self._seen(book, probe)

    def _counts(self, book: Book, probe: Probe) -> None:
        """Counters of the process: they begin anew with the deploy."""
        runs = [(time - self._since(time)) // INTERVAL for time in self.plain.times]
        book.ours("chatterfy_probe_runs_total", probe.labels, self.plain, runs)
        for reason in PROBE_REASONS:
            failing = any(trouble.reason == reason for trouble in probe.troubles)
            grid = self.plain if failing else self.still
            counts = [probe.failures(reason, self._since(time), time) if failing else 0 for time in grid.times]
            book.ours("chatterfy_probe_failures_total", (*probe.labels, reason), grid, counts)

    def _since(self, time: int) -> int:
        """When the process began that answers at this moment; the first one is three weeks older than the story."""
        return self.story.deploy if time >= self.story.deploy else self.story.start - 21 * 86400

    def _durations(self, book: Book, probe: Probe) -> None:
        """The process began with the deploy, and so did these counts."""
        grid, spread, bounds = self.recent, probe.usual.spread, CATALOGUE[DURATION].buckets
        medians = [probe.duration(time) for time in grid.times]
        runs = [step / INTERVAL for step in grid.steps]
        runs[0] = float((grid.times[0] - self.story.deploy) // INTERVAL)
        shares = [[_below(bound, median, spread) for bound in bounds] for median in medians]
        means = [mean(median, spread) if median < TIMEOUT else TIMEOUT for median in medians]
        labels = TARGET | {"probe": probe.name, "kind": probe.kind}
        write_histogram(book, DURATION, labels, grid, Observed(runs, shares, means))

    def _moments(self, book: Book, probe: Probe) -> None:
        """Timestamps and phases of the last run."""
        random, grid, spread = dice("phases", probe.name), self.recent, probe.usual.spread
        ran = [time - (time + len(probe.name)) % INTERVAL - 0.4 for time in grid.times]
        book.ours("chatterfy_probe_last_run_timestamp_seconds", probe.labels, grid, ran)
        succeeded = _last(ran, [probe.reason(time) is None for time in grid.times])
        book.ours("chatterfy_probe_last_success_timestamp_seconds", probe.labels, grid, succeeded)
        reached = "request" if "request" in probe.usual.phases else "connect"
        for phase, seconds in probe.usual.phases.items():
            values: list[Value] = []
            for time in grid.times:
                slow = probe.slowness(time) * probe.wave(time) if phase == reached else 1.0
                usual = min(seconds * slow, 0.9 * TIMEOUT) * exp(random.gauss(0, spread))
                values.append(_phase(probe, phase, usual, time))
            book.ours("chatterfy_probe_phase_seconds", (*probe.labels, phase), grid, values)

    def _seen(self, book: Book, probe: Probe) -> None:
        """What the dependency itself says."""
        story, grid = self.story, self.recent
        fresh = _fresh(probe, grid)
        if probe.kind == "http":
            status = 401 if probe.name == "chat" else 200
            answered = [{"status": 503, None: status}.get(probe.reason(time)) for time in grid.times]
            book.ours("chatterfy_probe_http_status_code", probe.labels, grid, answered)
        if probe.kind in {"s3", "stripe"}:
            book.ours("chatterfy_probe_permitted", probe.labels, grid, [1 if ok else None for ok in fresh])
        if "tls" in probe.usual.phases and probe.kind in {"http", "tls"}:
            expiry = story.certificate_expiry if probe.kind == "tls" else story.other_certificate_expiry
            values = [expiry if ok else None for ok in fresh]
            book.ours("chatterfy_probe_tls_certificate_expiry_timestamp_seconds", probe.labels, grid, values)
        if probe.kind == "postgres":
            self._database(book, probe)

    def _database(self, book: Book, probe: Probe) -> None:
        grid, random = self.plain, dice("transactions")
        fresh = _fresh(probe, grid)
        values: dict[str, list[float]] = {
            "connections": [round(self._connections(time)) for time in grid.times],
            "connections_max": [MOST] * len(grid.times),
            "oldest_transaction_age_seconds": [round(self._oldest(time) * random.random(), 2) for time in grid.times],
            "in_recovery": [0] * len(grid.times),
        }
        for name, column in values.items():
            shown = [value if ok else None for value, ok in zip(column, fresh, strict=True)]
            book.ours(f"chatterfy_postgres_{name}", probe.labels, grid, shown)

    def _connections(self, time: int) -> float:
        story = self.story
        if within(time, story.recovery):
            return 12
        busy = (24 + 10 * _daytime(time)) * self.wave(time)
        climbed = min(1.0, 1.8 * share(time, story.climb)) if within(time, story.climb) else 0.0
        return busy + (MOST - 3 - busy) * climbed

    def _oldest(self, time: int) -> float:
        climbing = share(time, self.story.climb) if within(time, self.story.climb) else 0.0
        return 4 + climbing * (self.story.climb[1] - self.story.climb[0])


def _fresh(probe: Probe, grid: Grid) -> list[bool]:
    """Whether the last values still stand."""
    return [probe.reason(time) is None or probe.reason(time - KEPT) is None for time in grid.times]


def _below(bound: float, median: float, spread: float) -> float:
    """The share of runs that take no longer than this; those that run into the time limit all take as long."""
    return below(bound, median, spread) if median < TIMEOUT else float(bound > TIMEOUT)


def _phase(probe: Probe, phase: str, seconds: float, time: int) -> Value:
    """A phase that was not reached is absent; the one in which the time ran out took all of it."""
    phases = list(probe.usual.phases)
    match probe.reason(time):
        case "timeout":
            last = "request" if "request" in phases else "connect"
            return 4.95 if phase == last else None if phases.index(phase) > phases.index(last) else f"{seconds:.5f}"
        case "connect":
            return None if phase not in {"dns", "connect"} else f"{seconds:.5f}"
    return f"{seconds:.5f}"


def _last(moments: Sequence[float], succeeded: Sequence[bool]) -> list[float]:
    """At each moment the last one that succeeded."""
    found, last = [], moments[0]
    for moment, success in zip(moments, succeeded, strict=True):
        last = moment if success else last
        found.append(last)
    return found


def _daytime(time: int) -> float:
    """0 at night, 1 in the afternoon."""
    return max(0.0, 1 - abs(time % 86400 / 3600 - 15) / 9)
