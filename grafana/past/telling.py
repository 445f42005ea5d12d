"""Who was told of the alerts, by the shipped configuration of Alertmanager: one flush of a group at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grafana.past.alerting import Episode
from grafana.past.routing import Route, inhibitions, matches, route_of


@dataclass(frozen=True)
class Notification:
    """What one flush of a group tells its receivers."""

    time: int
    integrations: tuple[str, ...]
    firing: tuple[Episode, ...]
    new: int
    resolved: tuple[Episode, ...]


class Inhibited:
    """Which alerts are kept quiet by others."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self._pairs = [
            (
                rule,
                [
                    episode
                    for episode in episodes
                    if episode.fires is not None and matches(episode.labels, rule.sources)
                ],
            )
            for rule in inhibitions()
        ]

    def __call__(self, target: Episode, moment: int) -> bool:
        """Whether the target, which fires, is kept quiet then."""
        return any(
            source.firing(moment) and all(source.labels.get(name) == target.labels.get(name) for name in rule.equal)
            for rule, sources in self._pairs
            if sources and matches(target.labels, rule.targets)
            for source in sources
        )


def notifications(episodes: Sequence[Episode], end: int) -> list[Notification]:
    """All of them up to the end, in order."""
    inhibited = Inhibited(episodes)
    groups: dict[tuple[Route, tuple[str, ...]], list[Episode]] = {}
    for episode in episodes:
        if episode.fires is not None:
            route = route_of(episode.labels)
            key = tuple(episode.labels.get(label, "") for label in route.group_by)
            groups.setdefault((route, key), []).append(episode)
    told = [it for (route, _), members in groups.items() for it in _flushes(route, members, inhibited, end)]
    return sorted(told, key=lambda it: it.time)


def _flushes(route: Route, members: list[Episode], inhibited: Inhibited, end: int) -> Iterable[Notification]:
    """A group lives while something in it fires, and once more to tell that it is over."""
    waiting = sorted(members, key=lambda it: it.fires or 0)
    while waiting:
        time = (waiting[0].fires or 0) + route.group_wait
        told: frozenset[int] = frozenset()
        last = 0
        while time <= end:
            there = [it for it in waiting if (it.fires or 0) <= time]
            firing = tuple(it for it in there if it.firing(time) and not inhibited(it, time))
            over = tuple(it for it in there if it.end <= time and id(it) in told)
            now = frozenset(map(id, firing))
            if now - told or over or (firing and time - last >= route.repeat_interval):
                yield Notification(time, route.integrations, firing, len(now - told), over)
                told, last = now, time
            waiting = [it for it in waiting if it.end > time]
            if not any((it.fires or 0) <= time for it in waiting):
                break
            time += route.group_interval
        else:
            return
