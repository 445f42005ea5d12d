"""Rows that are long, or that belong together: what is received, what Sentry is told, what browsers see."""
