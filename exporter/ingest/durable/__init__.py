"""The durable path of what is received: the app's database, or this machine's disk until it is back."""

from exporter.ingest.durable.keeper import DurableKeeper
from exporter.ingest.durable.options import KeepingOptions, SpoolOptions

__all__ = ["DurableKeeper", "KeepingOptions", "SpoolOptions"]
