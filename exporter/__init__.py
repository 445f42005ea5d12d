"""Prometheus exporter for Chatterfy and any SaaS of its shape."""
