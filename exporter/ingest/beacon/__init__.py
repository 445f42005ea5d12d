"""What browsers measure: web vitals and chat response times, and the module that measures them."""

from exporter.ingest.beacon.section import BeaconSection

__all__ = ["BeaconSection"]
