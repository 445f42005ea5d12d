"""Deploys: marked on the page, and told to whoever wants to know."""

from exporter.ingest.deploys.section import DeploysSection

__all__ = ["DeploysSection"]
