"""A request that is not taken: with which status, for which reason, and what the sender is told."""

from typing import Literal, get_args

from exporter.metrics.catalogue import Metric

RejectReason = Literal[
    "auth", "origin", "rate", "busy", "size", "slow", "body", "storage", "upstream", "internal",
    "path", "http",
]  # fmt: skip
"""`path` is a path or a method that is not there, `http` what is no HTTP."""
REJECT_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)

NOWHERE = "none"
"""The value of the label `endpoint` for what came to none."""
REASONS_OF_NONE: tuple[RejectReason, ...] = ("path", "http", "busy", "rate", "internal")

REJECTED = Metric(
    "chatterfy_ingest_rejected_total",
    "counter",
    "Requests to the ingest listener that were not taken, by reason (`none`: they came to no endpoint, were no HTTP, "
    "or their connection was one too many); counted at every request.",
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
