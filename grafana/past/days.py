"""The last complete day's numbers, and the label sets that are 0."""

from collections import defaultdict
from itertools import product

from exporter.business.shipped import SHIPPED
from grafana.past.accounts import Accounts
from grafana.past.book import TARGET, Book, series
from grafana.past.business import Business
from grafana.past.story import DAY


def write_days(book: Book, business: Business, accounts: Accounts) -> None:
    """The numbers of a day stand from the midnight after it to the next one."""
    signups, messages, cost = (
        defaultdict[int, float](float),
        defaultdict[int, float](float),
        defaultdict[int, float](float),
    )
    days = [time // DAY for time in business.pace.grid.times]
    for model, tokens in business.tokens.items():
        price = float(model.usd_per_million) / 1_000_000
        for day, count, used in zip(days, business.messages[model], tokens, strict=True):
            messages[day] += count
            cost[day] += used * price
    for totals in business.signups.values():
        for day, before, after in zip(days[1:], totals, totals[1:], strict=False):
            signups[day] += after - before
    grid = accounts.grid
    active = accounts.active("1d")
    orgs = {time // DAY: float(count) for time, count in zip(grid.times, active, strict=True)}
    first = days[0] + 1  # the one before it is not all there
    numbers = {"new_users": signups, "messages": messages, "active_orgs": orgs, "revenue_usd": cost}
    for name, values in numbers.items():
        shown = [round(values[max(first, time // DAY - 1)], 2) for time in grid.times]
        book.ours(f"chatterfy_daily_{name}", (), grid, shown)
    moments = [(time // DAY - 1) * DAY for time in grid.times]
    book.ours("chatterfy_daily_day_timestamp_seconds", (), grid, moments)


def write_zeros(book: Book, accounts: Accounts) -> None:
    """What the shipped queries fill with 0 where there is no row."""
    for query in SHIPPED:
        labels = query.header.labels
        for metric, _ in query.metrics if query.header.fill else ():
            for values in product(*[query.header.fill[label] for label in labels]):
                if series(metric.name, TARGET | dict(zip(labels, values, strict=True))) not in book.written:
                    book.ours(metric.name, values, accounts.grid, accounts.zeros(stay=query.kind != "gauge"))
