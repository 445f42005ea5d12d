"""The series of those who were told: Alertmanager's notifications, and the exporter's share of them."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from exporter.alerts.webhook import SEVERITIES, STATUSES
from exporter.errors import REASONS
from grafana.past.alerting import Episode
from grafana.past.book import ALERTMANAGER, PROMETHEUS, Book
from grafana.past.grid import PLAIN, STILL, Grid
from grafana.past.monitoring import NOTIFIED
from grafana.past.story import MINUTE, Story
from grafana.past.telling import Inhibited, Notification, notifications

INTEGRATIONS = (
    "email", "opsgenie", "pagerduty", "pushover", "slack", "sns", "telegram", "victorops", "webhook", "wechat",
)  # fmt: skip
"""Those of Alertmanager 0.25, which shows all of them."""
LATENCY = {"1": 0.93, "5": 0.99, "10": 1.0, "15": 1.0, "20": 1.0, "+Inf": 1.0}
SECONDS = 0.42
"""Of a notification."""
BUSY = 3
"""Messages that Slack refuses in the incident: too many at once."""


class Told:
    """Writes what follows from the alerts."""

    def __init__(self, story: Story, episodes: Sequence[Episode]) -> None:
        self.story = story
        self.grid, self.still = Grid(story, PLAIN), Grid(story, STILL)
        self._episodes = [episode for episode in episodes if episode.fires is not None]
        self._told = notifications(episodes, story.end)

    def write(self, book: Book) -> None:
        """All of it."""
        for integration in INTEGRATIONS:
            self._integration(book, integration)
        self._states(book)
        self._handed_over(book)
        self._exporter(book)

    def _integration(self, book: Book, integration: str) -> None:
        times = [it.time for it in self._told if integration in it.integrations]
        grid = self.grid if times else self.still
        labels = ALERTMANAGER | {"integration": integration}
        counts = [bisect_right(times, time) for time in grid.times]
        book.write("alertmanager_notifications_total", labels, grid, counts)
        columns = {bound: [int(count * part + 0.5) for count in counts] for bound, part in LATENCY.items()}
        total = [round(count * SECONDS, 2) for count in counts]
        book.histogram("alertmanager_notification_latency_seconds", labels, grid, columns, total)

    def _states(self, book: Book) -> None:
        inhibited = Inhibited(self._episodes)
        active, suppressed = [], []
        for time in self.grid.times:
            firing = [episode for episode in self._episodes if episode.firing(time)]
            quiet = sum([inhibited(episode, time) for episode in firing])
            active.append(len(firing) - quiet)
            suppressed.append(quiet)
        for state, values in {"active": active, "suppressed": suppressed, "unprocessed": [0] * len(active)}.items():
            book.write("alertmanager_alerts", ALERTMANAGER | {"state": state}, self.grid, values)

    def _handed_over(self, book: Book) -> None:
        """Prometheus tells Alertmanager of each alert that fires once a minute, and once that it is over."""
        sent = sorted(time for it in self._episodes for time in range(it.fires or 0, it.end, MINUTE))
        over = sorted(it.end for it in self._episodes)
        firing, resolved = ([bisect_right(times, time) for time in self.grid.times] for times in (sent, over))
        both = [one + other for one, other in zip(firing, resolved, strict=True)]
        book.write("prometheus_notifications_sent_total", PROMETHEUS | NOTIFIED, self.grid, both)
        for status, counts in {"firing": firing, "resolved": resolved}.items():
            labels = ALERTMANAGER | {"status": status, "version": "v2"}
            book.write("alertmanager_alerts_received_total", labels, self.grid, counts)

    def _exporter(self, book: Book) -> None:
        """Its counters began anew with the deploy."""
        heard = [it for it in self._told if "webhook" in it.integrations]
        for status in STATUSES:
            for severity in SEVERITIES:
                added = [_count(it, status, severity) for it in heard]
                values = self._since_the_start([it.time for it in heard], added)
                book.ours("chatterfy_alerts_received_total", (status, severity), self.grid, values)
        news = [0 if _is_watchdog(it) else it.new for it in heard]
        sent = self._since_the_start([it.time for it in heard], news)
        book.ours("chatterfy_alerts_sentry_total", (), self.grid, sent)
        for reason in REASONS:
            tried = self.story.down[0] + 2 * MINUTE
            values = [int(reason == "timeout" and time >= tried) for time in self.still.times]
            book.ours("chatterfy_alerts_sentry_failures_total", (reason,), self.still, values)
        seen = [it.time for it in heard if _is_watchdog(it)]
        last = [seen[max(0, bisect_right(seen, time) - 1)] for time in self.grid.times]
        book.ours("chatterfy_alert_pipeline_last_seen_timestamp_seconds", (), self.grid, last)

    def _since_the_start(self, times: Sequence[int], added: Sequence[int]) -> list[int]:
        totals = list(accumulate(added, initial=0))
        before = totals[bisect_right(times, self.story.deploy)]
        counts = [(time, totals[bisect_right(times, time)]) for time in self.grid.times]
        return [count - (before if time >= self.story.deploy else 0) for time, count in counts]


def write_refusals(book: Book, story: Story) -> None:
    """What could not be delivered; a rule reads it, so it is there before the alerts are known."""
    refused = {"slack": [story.climb[0] + (5 + place) * MINUTE for place in range(BUSY)], "email": [story.churn[1]]}
    for integration in INTEGRATIONS:
        times = refused.get(integration, [])
        grid = Grid(story, PLAIN if times else STILL)
        counts = [bisect_right(times, time) for time in grid.times]
        labels = ALERTMANAGER | {"integration": integration}
        book.write("alertmanager_notifications_failed_total", labels, grid, counts)


def _count(it: Notification, status: str, severity: str) -> int:
    alerts = it.firing if status == "firing" else it.resolved
    return len([alert for alert in alerts if alert.labels.get("severity", "none") == severity])


def _is_watchdog(it: Notification) -> bool:
    return any(alert.labels["alertname"] == "Watchdog" for alert in it.firing)
