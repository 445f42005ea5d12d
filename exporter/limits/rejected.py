"""A request that is not taken: with which status, for which reason, and what the sender is told."""

from typing import Literal, get_args

from exporter.metrics.catalogue import Metric

RejectReason = Literal[
    "auth", "origin", "rate", "busy", "size", "slow", "body", "conflict", "storage", "upstream", "internal"
]
REJECT_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)

REJECTED = Metric(
    "chatterfy_ingest_rejected_total",
    "counter",
    "Requests to the ingest listener that were not taken, by reason; counted at every request.",
    ("endpoint", "reason"),
)


class Rejected(Exception):  # noqa: N818  (a past participle, as Failed is)
    """Ends a request; `message` is one line for the sender alone, `retry_after` are seconds, 0 for none."""

    def __init__(self, status: int, reason: RejectReason, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
