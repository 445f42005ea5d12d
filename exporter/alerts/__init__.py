"""Alerts: what Alertmanager sends to the exporter becomes messages in Sentry, and shows that the way here works."""
