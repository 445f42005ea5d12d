"""Alerts as Prometheus writes them: pending for as long as a rule's `for`, then firing."""

from collections.abc import Iterable
from dataclasses import dataclass

from grafana.past.book import Book
from grafana.past.grid import EVALUATIONS, Grid
from grafana.past.record import evaluate
from grafana.past.rules import alerts
from grafana.past.server import Server
from grafana.past.story import STEP, Story


@dataclass(frozen=True)
class Episode:
    """An alert, from the evaluation that found it to the one that did not; `fires` is None where it was too short."""

    labels: dict[str, str]
    begin: int
    fires: int | None
    end: int

    def firing(self, moment: float) -> bool:
        """Whether it fires then."""
        return self.fires is not None and self.fires <= moment < self.end


async def episodes(server: Server, story: Story) -> list[Episode]:
    """All that the shipped rules find in what is there."""
    times = Grid(story, EVALUATIONS).times
    after = dict(zip(times, [*times[1:], story.end + STEP], strict=True))
    found = []
    for rule in alerts():
        for labels, values in await evaluate(server, story, rule):
            named = labels | rule.labels | {"alertname": rule.alert}
            found += [_episode(named, run, rule.wait, after) for run in _runs([time for time, _ in values], after)]
    return found


def _runs(times: Iterable[int], after: dict[int, int]) -> list[list[int]]:
    """Evaluations that followed each other."""
    runs: list[list[int]] = []
    for time in times:
        if runs and after[runs[-1][-1]] == time:
            runs[-1].append(time)
        else:
            runs.append([time])
    return runs


def _episode(labels: dict[str, str], run: list[int], wait: int, after: dict[int, int]) -> Episode:
    fires = next((time for time in run if time - run[0] >= wait), None)
    return Episode(labels, run[0], fires, after[run[-1]])


def write_alerts(book: Book, found: Iterable[Episode]) -> None:
    """ALERTS every STEP seconds, and since when each has been there."""
    samples: dict[tuple[str, str], tuple[dict[str, str], list[tuple[int, int]]]] = {}
    for episode in sorted(found, key=lambda it: it.begin):
        fires = episode.end if episode.fires is None else episode.fires
        key = str(sorted(episode.labels.items()))
        for state, begin, end in (("pending", episode.begin, fires), ("firing", fires, episode.end)):
            labels, values = samples.setdefault((key, state), (episode.labels | {"alertstate": state}, []))
            values += [(time, 1) for time in range(begin, end, STEP)]
        labels, values = samples.setdefault((key, ""), (episode.labels, []))
        values += [(time, episode.begin) for time in range(episode.begin, episode.end, STEP)]
    for (_, state), (labels, values) in samples.items():
        book.lines("ALERTS" if state else "ALERTS_FOR_STATE", labels, values)
