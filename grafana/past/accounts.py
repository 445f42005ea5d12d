"""What the app's tables say of now: users, organisations, subscriptions, revenue."""

from bisect import bisect_right
from collections import Counter

from exporter.demo.catalogue import PLANS, Plan
from grafana.past.book import Book, Value
from grafana.past.business import Business
from grafana.past.chance import Wave
from grafana.past.grid import PLAIN, Grid
from grafana.past.story import DAY, MINUTE

GONE_AFTER = 3 * MINUTE
"""A gauge that is read every minute is off the page by then, one that is read more seldom stays for longer."""
OVERDUE, TRIALS = 0.04, 9
ACTIVE = {"1d": 0.42, "7d": 0.63, "30d": 0.78}
"""The share of organisations that write within so long."""
SATURDAY = 5


class Accounts:
    """The state at each moment of the plain grid, and nothing while the database is away for long."""

    def __init__(self, business: Business) -> None:
        self._business = business
        self.grid = Grid(business.pace.story, PLAIN)
        self._places = [bisect_right(business.pace.grid.times, time) - 1 for time in self.grid.times]
        down, up = business.pace.story.down
        self._gone = [down + GONE_AFTER <= time < up for time in self.grid.times]
        self.users = self._sum(list(business.signups.values()))
        self.left = self._sum(list(business.cancelled.values()))

    def _sum(self, columns: list[list[int]]) -> list[int]:
        return [sum([column[place] for column in columns]) for place in self._places]

    def _shown(self, values: list[int]) -> list[Value]:
        return [None if gone else value for value, gone in zip(values, self._gone, strict=True)]

    def zeros(self, *, stay: bool) -> list[Value]:
        """What is filled with 0: a counter stays while the database is away, a gauge goes."""
        zeros = [0] * len(self.grid.times)
        return [*zeros] if stay else self._shown(zeros)

    def write(self, book: Book) -> None:
        """All of it."""
        self._write_subscriptions(book)
        book.ours("chatterfy_users", (), self.grid, self._shown(self.users))
        for window in ACTIVE:
            book.ours("chatterfy_active_orgs", (window,), self.grid, self.active(window))

    def _write_subscriptions(self, book: Book) -> None:
        paying = [0] * len(self.grid.times)
        for plan, created in self._business.created.items():
            left = [round(total * _PARTS[plan]) for total in self.left]
            owned = [created[place] - gone for place, gone in zip(self._places, left, strict=True)]
            wave = Wave(0.5, plan.code, hours=40)
            trials = [round(TRIALS * _PARTS[plan] * wave(time)) for time in self.grid.times]
            overdue = [round(total * OVERDUE * wave(-time)) for total, time in zip(owned, self.grid.times, strict=True)]
            good = [total - late for total, late in zip(owned, overdue, strict=True)]
            for status, values in {"active": good, "past_due": overdue, "trialing": trials, "canceled": left}.items():
                book.ours("chatterfy_subscriptions", (plan.code, status), self.grid, self._shown(values))
            revenue = [total * plan.amount // 100 for total in owned]
            book.ours("chatterfy_mrr_usd", (plan.code,), self.grid, self._shown(revenue))
            book.ours("chatterfy_orgs", (plan.code,), self.grid, self._shown(owned))
            paying = [total + one for total, one in zip(paying, owned, strict=True)]
        free = [users // 3 - total for users, total in zip(self.users, paying, strict=True)]
        book.ours("chatterfy_orgs", ("FREE",), self.grid, self._shown(free))

    def active(self, window: str) -> list[int]:
        """How many organisations have written within the window."""
        wave, part = Wave(0.03, window, hours=20), ACTIVE[window]
        return [
            round(users / 3 * part * wave(time) * (_weekday(time) if window == "1d" else 1))
            for users, time in zip(self.users, self.grid.times, strict=True)
        ]


_PARTS: dict[Plan, float] = {plan: count / len(PLANS) for plan, count in Counter(PLANS).items()}


def _weekday(time: int) -> float:
    """How many write within a day, as a share of a week's mean: few at a weekend."""
    behind = time % DAY / DAY
    today, yesterday = (0.62 if (time // DAY - ago + 3) % 7 >= SATURDAY else 1.13 for ago in (0, 1))
    return today * behind + yesterday * (1 - behind)
