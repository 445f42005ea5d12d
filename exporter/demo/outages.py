"""What can be broken on purpose, and for how long."""

from dataclasses import dataclass
from enum import StrEnum


class Outage(StrEnum):
    """One thing that breaks."""

    DATABASE = "database"
    HANG = "hang"
    """The database again, this time without an answer: its processes stand still."""
    API = "api"
    STRIPE = "stripe"
    S3 = "s3"
    SLOW = "slow"
    ERRORS = "errors"
    CHURN = "churn"


@dataclass(frozen=True)
class Plan:
    """What breaks, and for how many seconds; None is until the end."""

    outage: Outage
    seconds: float | None


def parse(text: object) -> Plan:
    """Reads `stripe` or `stripe:20` (seconds); raises ValueError that says what was expected."""
    name, colon, seconds = str(text).partition(":")
    if name not in {*Outage}:
        choices = ", ".join(Outage)
        raise ValueError(f"expected one of {choices}, optionally with :SECONDS, got '{text}'")
    if colon and not (seconds.isdecimal() and int(seconds)):
        raise ValueError(f"expected whole seconds after '{name}:', as in {name}:20, got '{seconds}'")
    return Plan(Outage(name), float(seconds) if colon else None)
