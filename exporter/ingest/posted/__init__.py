"""What is posted to be kept: bodies, their items, keys and times, and what is told of those that are wrong."""

from exporter.ingest.posted.data import encoded
from exporter.ingest.posted.fields import (
    Field,
    Malformed,
    Shape,
    is_amount,
    is_number,
    nearest,
    shown,
    text,
)
from exporter.ingest.posted.items import accepted, items
from exporter.ingest.posted.stamps import Stamps

__all__ = [
    "Field",
    "Malformed",
    "Shape",
    "Stamps",
    "accepted",
    "encoded",
    "is_amount",
    "is_number",
    "items",
    "nearest",
    "shown",
    "text",
]
