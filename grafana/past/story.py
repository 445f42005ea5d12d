"""What happens in the thirty days: told once, as moments before the end."""

from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3600, 86400
DAYS = 30
STEP = 15
"""Seconds from one evaluation to the next, as in prometheus.yml."""

Window = tuple[int, int]


@dataclass(frozen=True)
class Story:
    """The moments, in seconds since 1970, all counted back from the end, which is a multiple of STEP."""

    end: int

    @classmethod
    def until(cls, end: float) -> "Story":
        """The story that ends at this moment, or just before it."""
        return cls(int(end) // STEP * STEP)

    @property
    def start(self) -> int:
        """Before it there is nothing."""
        return self.end - DAYS * DAY

    @property
    def release(self) -> int:
        """A model is new, good and dear: its share grows over days, and with it the cost."""
        return self.end - 12 * DAY

    @property
    def deploy(self) -> int:
        """A new version of the exporter: its own counters begin anew."""
        return self.end - 8 * DAY

    @property
    def churn(self) -> Window:
        """A price change is announced: many cancel."""
        return self.end - 5 * DAY, self.end - 5 * DAY + 40 * MINUTE

    @property
    def slow(self) -> Window:
        """Stripe answers slowly."""
        return self.end - 3 * DAY, self.end - 3 * DAY + 45 * MINUTE

    @property
    def flapping(self) -> Window:
        """Stripe's probe fails every other time, until Stripe has repaired it."""
        return self.slow[1], self.slow[1] + 40 * MINUTE

    @property
    def climb(self) -> Window:
        """The incident begins: connections to the database leak, requests wait for one and fail."""
        return self.end - 5 * HOUR, self.end - 5 * HOUR + 12 * MINUTE

    @property
    def down(self) -> Window:
        """Then the database is gone, and with it the log of requests and whatever else is written there."""
        return self.climb[1], self.climb[1] + 11 * MINUTE

    @property
    def recovery(self) -> Window:
        """It is back, with cold caches."""
        return self.down[1], self.down[1] + 4 * MINUTE

    @property
    def drain(self) -> Window:
        """What waited on the exporter's disk comes into the database."""
        return self.down[1], self.down[1] + MINUTE

    @property
    def deploys(self) -> dict[str, int]:
        """When which version of the app came into production: the last but one leaks connections, the last does not."""
        return {
            "a3f1c02": self.release,
            "5be90d4": self.deploy + 20 * MINUTE,
            "91c7d3e": self.churn[0] - 15 * MINUTE,
            "d17c6e8": self.climb[0] - 20 * MINUTE,
            "e02b9fa": self.recovery[1] + 48 * MINUTE,
        }

    @property
    def certificate_expiry(self) -> int:
        """That of an old name, which nobody has renewed."""
        return self.end + 18 * DAY + 5 * HOUR

    @property
    def other_certificate_expiry(self) -> int:
        """The others'."""
        return self.end + 60 * DAY + 5 * HOUR


def within(moment: float, window: Window) -> bool:
    """Whether the moment is in the window, whose end is no part of it."""
    return window[0] <= moment < window[1]


def share(moment: float, window: Window) -> float:
    """How much of the window is behind at the moment: 0 before it, 1 after it."""
    begin, end = window
    return min(1.0, max(0.0, (moment - begin) / (end - begin)))
