"""What stands between strangers and an endpoint: who may come, how much, how often, and how long it may take."""

from exporter.limits.access import Access, Origin, Visitors
from exporter.limits.gate import Gate, Place
from exporter.limits.listener import Call, Endpoint, Listener
from exporter.limits.options import LimitsOptions
from exporter.limits.rejected import REJECTED, Rejected, RejectReason
from exporter.limits.section import SECTIONS, Given, Keeper, Row, Section, section

__all__ = [
    "REJECTED",
    "SECTIONS",
    "Access",
    "Call",
    "Endpoint",
    "Gate",
    "Given",
    "Keeper",
    "LimitsOptions",
    "Listener",
    "Origin",
    "Place",
    "RejectReason",
    "Rejected",
    "Row",
    "Section",
    "Visitors",
    "section",
]
