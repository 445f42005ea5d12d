"""How busy a moment is: people work by day, rest at weekends, and become more."""

from datetime import datetime
from math import cos, tau

BUSIEST_HOUR = 15
SATURDAY = 5
GROWTH_A_DAY = 1.01


def rhythm(moment: datetime) -> float:
    """How busy the moment (UTC) is; 1.0 on average over a week, 0.2 on a Sunday night, 1.9 on a weekday afternoon."""
    hour = moment.hour + moment.minute / 60
    by_day = 1 + 0.65 * cos(tau * (hour - BUSIEST_HOUR) / 24)
    return by_day * (0.6 if moment.weekday() >= SATURDAY else 1.16)


def size(days_ago: float) -> float:
    """How large the product was then, as a share of today."""
    return float(GROWTH_A_DAY**-days_ago)
