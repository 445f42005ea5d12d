"""Sentry's side door: what SDKs send is counted here, and goes on untouched."""

from exporter.relay.sentry.options import SentryOptions

__all__ = ["SentryOptions"]
