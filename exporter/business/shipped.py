"""The queries that come with the exporter."""

from pathlib import Path

from exporter.business.query import load_queries

FOLDER = Path(__file__).parent / "sql"
SHIPPED = load_queries(FOLDER, listed=True)
"""One for each file of the folder."""
