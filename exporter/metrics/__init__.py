"""Metrics: what exists (catalogue), what its values are (store), how it is shown (page)."""
