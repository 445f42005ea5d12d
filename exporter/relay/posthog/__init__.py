"""PostHog's side door: what SDKs send is counted here, and goes on untouched."""

from exporter.relay.posthog.options import PosthogOptions

__all__ = ["PosthogOptions"]
