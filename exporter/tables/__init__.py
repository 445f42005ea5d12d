"""Logical tables: the names that queries are written against, and where they stand in the app's own database."""

from exporter.tables.check import TableProblem
from exporter.tables.mapping import Tables
from exporter.tables.options import TablesOptions
from exporter.tables.quoting import literal, quoted
from exporter.tables.reads import LOGICAL, used
from exporter.tables.table import Table, Window

__all__ = ["LOGICAL", "Table", "TableProblem", "Tables", "TablesOptions", "Window", "literal", "quoted", "used"]
