"""What Prometheus 2.42 and Alertmanager 0.25 say of themselves, and Prometheus of its scrapes."""

from collections.abc import Callable, Mapping

from grafana.past.book import ALERTMANAGER, PROMETHEUS, TARGET, TARGETS, Book, Value
from grafana.past.chance import Wave, dice
from grafana.past.grid import EVEN, QUIET, Grid
from grafana.past.rules import Group, groups
from grafana.past.story import DAY, HOUR, STEP, Story, within

MEGABYTE = 1024 * 1024
NOTIFIED = {"alertmanager": "http://alertmanager:9093/api/v2/alerts"}
SCRAPED = {"chatterfy-exporter": (0.004, 2437), "prometheus": (0.008, 702), "alertmanager": (0.005, 331)}
"""What a scrape takes, in seconds, and how many samples it brings."""
SERIES = 3605
"""In Prometheus' head."""
QUANTILES = {"0.5": 1.0, "0.9": 3.1, "0.99": 8.4}
"""Of how long a query takes, as multiples of its median."""
SLICES = {"inner_eval": 6.1e-4, "prepare_time": 4.8e-5, "queue_time": 1.9e-6, "result_sort": 2.7e-6}
"""The parts of a query, and their medians in seconds."""
QUERIES = 9.1
"""A second."""
Make = Callable[[int], Value]


class Monitoring:
    """Their series."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.even, self.grid = Grid(story, EVEN), Grid(story, QUIET)
        self.begin = story.start - 9 * DAY - 5 * HOUR

    def write(self, book: Book) -> None:
        """All of them, but for what follows from the alerts."""
        for target in TARGETS:
            book.write("up", target, self.even, [1] * len(self.even.times))
            self._scrape(book, target)
        self._process(book, PROMETHEUS, 410, 0.031)
        self._process(book, ALERTMANAGER, 36, 0.002)
        for name, labels, value in _CONSTANT:
            self._make(book, name, labels, lambda _, value=value: value)  # type: ignore[misc]
        self._store(book)
        for group in groups():
            self._group(book, group)
        for name, median in SLICES.items():
            self._query(book, PROMETHEUS | {"slice": name}, median)
        self._intervals(book)

    def _make(self, book: Book, name: str, labels: Mapping[str, str], make: Make) -> None:
        book.write(name, labels, self.grid, [make(time) for time in self.grid.times])

    def _scrape(self, book: Book, target: Mapping[str, str]) -> None:
        seconds, samples = SCRAPED[target["job"]]
        random = dice("scrape", target["job"])

        def duration(time: int) -> str:
            slow = 3 if target is TARGET and within(time, self.story.climb) else 1
            return f"{seconds * slow * random.lognormvariate(0, 0.2):.5f}"

        self._make(book, "scrape_duration_seconds", target, duration)
        self._make(book, "scrape_samples_scraped", target, lambda _: samples)

    def _process(self, book: Book, target: Mapping[str, str], megabytes: int, load: float) -> None:
        wave = Wave(0.15, "memory", target["job"], hours=4)
        self._make(book, "process_resident_memory_bytes", target, lambda it: round(megabytes * wave(it)) * MEGABYTE)
        self._make(book, "process_cpu_seconds_total", target, lambda it: round((it - self.begin) * load, 2))
        self._make(book, "process_start_time_seconds", target, lambda _: self.begin + 0.2)
        self._make(book, "process_open_fds", target, lambda it: 41 + it // 240 % 5)
        self._make(book, "process_max_fds", target, lambda _: 1048576)

    def _store(self, book: Book) -> None:
        wave, pace = Wave(0.01, "head", hours=9), sum([samples for _, samples in SCRAPED.values()]) / STEP
        appended = PROMETHEUS | {"type": "float"}
        made: dict[str, Make] = {
            "head_series": lambda it: round(SERIES * wave(it)),
            "head_chunks": lambda it: round(SERIES * (3 + it % 7200 / 1800)),
            "storage_blocks_bytes": lambda it: (it - self.begin) // 7200 * 1_360_000,
        }
        for name, make in made.items():
            self._make(book, f"prometheus_tsdb_{name}", PROMETHEUS, make)
        name = "prometheus_tsdb_head_samples_appended_total"
        self._make(book, name, appended, lambda it: round((it - self.begin) * pace))

    def _group(self, book: Book, group: Group) -> None:
        labels = PROMETHEUS | {"rule_group": f"/etc/prometheus/rules/{group.file};{group.name}"}
        every, rules, begin, random = group.interval, len(group.rules), self.begin, dice("group", group.name)
        usual = rules * (0.0004 if every == STEP else 0.016)  # the others are those that read much
        made: dict[str, Make] = {
            "group_interval_seconds": lambda _: every,
            "group_last_duration_seconds": lambda _: f"{usual * random.lognormvariate(0, 0.25):.6f}",
            "group_last_evaluation_timestamp_seconds": lambda it: it - it % every,
            "group_iterations_total": lambda it: (it - begin) // every,
            "group_iterations_missed_total": lambda _: 0,
            "evaluations_total": lambda it: (it - begin) // every * rules,
            "evaluation_failures_total": lambda _: 0,
        }
        for name, make in made.items():
            self._make(book, f"prometheus_rule_{name}", labels, make)

    def _query(self, book: Book, labels: Mapping[str, str], median: float) -> None:
        name, random = "prometheus_engine_query_duration_seconds", dice("queries", labels["slice"])

        def quantile(factor: float) -> Make:
            return lambda _: f"{median * factor * random.lognormvariate(0, 0.15):.9f}"

        for bound, factor in QUANTILES.items():
            self._make(book, name, {**labels, "quantile": bound}, quantile(factor))
        self._make(book, f"{name}_count", labels, lambda it: round((it - self.begin) * QUERIES))
        self._make(book, f"{name}_sum", labels, lambda it: round((it - self.begin) * QUERIES * median * 1.4, 5))

    def _intervals(self, book: Book) -> None:
        """From one scrape to the next."""
        name, random = "prometheus_target_interval_length_seconds", dice("intervals")
        labels, each = PROMETHEUS | {"interval": f"{STEP}s"}, STEP // len(TARGETS)

        def quantile(distance: float) -> Make:
            return lambda _: f"{STEP + 0.02 * distance + random.gauss(0, 0.0004):.5f}"

        for bound in ("0.01", "0.05", "0.5", "0.9", "0.99"):
            self._make(book, name, {**labels, "quantile": bound}, quantile(float(bound) - 0.5))
        self._make(book, f"{name}_count", labels, lambda it: (it - self.begin) // each)
        self._make(book, f"{name}_sum", labels, lambda it: (it - self.begin) // each * STEP)


_BUILT = {"branch": "HEAD", "goarch": "amd64", "goos": "linux", "goversion": "go1.19.5", "revision": "unknown"}
_CONSTANT: tuple[tuple[str, Mapping[str, str], int], ...] = (
    ("prometheus_build_info", PROMETHEUS | _BUILT | {"version": "2.42.0"}, 1),
    ("prometheus_config_last_reload_successful", PROMETHEUS, 1),
    ("prometheus_notifications_alertmanagers_discovered", PROMETHEUS, 1),
    ("prometheus_notifications_dropped_total", PROMETHEUS, 0),
    ("prometheus_notifications_errors_total", PROMETHEUS | NOTIFIED, 0),
    ("prometheus_notifications_queue_capacity", PROMETHEUS, 10000),
    ("prometheus_notifications_queue_length", PROMETHEUS, 0),
    ("prometheus_tsdb_compactions_failed_total", PROMETHEUS, 0),
    ("prometheus_tsdb_wal_corruptions_total", PROMETHEUS, 0),
    ("alertmanager_build_info", ALERTMANAGER | _BUILT | {"version": "0.25.0"}, 1),
    ("alertmanager_cluster_enabled", ALERTMANAGER, 0),
    ("alertmanager_config_last_reload_successful", ALERTMANAGER, 1),
    *(("alertmanager_silences", ALERTMANAGER | {"state": state}, 0) for state in ("active", "expired", "pending")),
)
