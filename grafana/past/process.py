"""The exporter's own process, its build and its configuration."""

from collections.abc import Callable
from itertools import accumulate

from grafana.past.book import Book, Value
from grafana.past.chance import Wave, dice
from grafana.past.grid import PLAIN, QUIET, Grid
from grafana.past.story import DAY, HOUR, MINUTE, Story

VERSIONS = {"0.1.0": "9f1c2d7", "0.1.1": "4b7e0aa"}
"""Before the deploy and after it, with their revisions."""
MEGABYTE = 1024 * 1024
CPU = 0.021
"""Seconds of it in a second."""
DROPPED = 6 * DAY
"""Before the end: a scanner has called so many paths that their series were too many."""
RELOADED = 2 * DAY + 3 * HOUR
"""Before the end: the configuration was read again."""
COLLECTIONS = {"0": (1 / 40, 310), "1": (1 / 440, 90), "2": (1 / 9000, 1800)}
"""Of each generation: collections a second, and objects that one of them collects."""


class Process:
    """Its series; what is counted in the process begins anew with the deploy."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.plain, self.quiet = Grid(story, PLAIN), Grid(story, QUIET)

    def write(self, book: Book) -> None:
        """All of them."""
        self._build(book)
        self._memory(book)
        self._make(book, "process_start_time_seconds", lambda time: self._since(time) + 0.48)
        random, grid = dice("fds"), self.quiet
        book.ours("process_open_fds", (), grid, [34 + random.randrange(9) for _ in grid.times])
        book.ours("process_max_fds", (), grid, [1048576] * len(grid.times))
        for generation, (pace, objects) in COLLECTIONS.items():
            counts = [int((time - self.story.deploy) * pace) for time in grid.times]
            book.ours("python_gc_collections_total", (generation,), grid, counts)
            book.ours("python_gc_objects_collected_total", (generation,), grid, [n * objects for n in counts])
            book.ours("python_gc_objects_uncollectable_total", (generation,), grid, [0] * len(counts))

    def _since(self, time: int) -> int:
        """When the process began that is there at this moment."""
        return self.story.deploy if time >= self.story.deploy else self.story.start - 21 * DAY - 3 * HOUR

    def _make(self, book: Book, name: str, make: Callable[[int], Value]) -> None:
        book.ours(name, (), self.plain, [make(time) for time in self.plain.times])

    def _memory(self, book: Book) -> None:
        wave, grid = Wave(0.12, "memory", hours=5), self.plain
        ages = [(time - self._since(time)) / DAY for time in grid.times]
        memory = [
            round((68 + min(14.0, age)) * wave(time)) * MEGABYTE for age, time in zip(ages, grid.times, strict=True)
        ]
        book.ours("process_resident_memory_bytes", (), grid, memory)
        book.ours("process_virtual_memory_bytes", (), grid, [size + 391 * MEGABYTE for size in memory])
        load = Wave(0.2, "cpu", hours=2)
        used = list(accumulate([CPU * load(time) * step for time, step in zip(grid.times, grid.steps, strict=True)]))
        born = grid.times.index(self.story.deploy)
        before = CPU * (grid.times[0] - self._since(grid.times[0]))
        spent = [round(total + before if at < born else total - used[born - 1], 3) for at, total in enumerate(used)]
        book.ours("process_cpu_seconds_total", (), grid, spent)

    def _build(self, book: Book) -> None:
        grid, deploy = self.plain, self.story.deploy
        for number, build in enumerate(VERSIONS.items()):
            there = [1 if (time >= deploy) == bool(number) else None for time in grid.times]
            book.ours("chatterfy_build_info", build, grid, there)
        self._make(book, "chatterfy_config_last_reload_successful", lambda _: 1)
        read = self.story.end - RELOADED
        name = "chatterfy_config_last_reload_success_timestamp_seconds"
        self._make(book, name, lambda time: read + 0.2 if time >= read else self._since(time) + 0.5)
        born = self.story.end - DROPPED
        dropped = [None if time < born else 37 if time < born + 8 * MINUTE else 112 for time in grid.times]
        book.ours("chatterfy_series_dropped_total", ("chatterfy_http_requests_total",), grid, dropped)
