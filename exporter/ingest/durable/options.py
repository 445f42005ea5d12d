"""What the durable path is told: which role writes, how late an event may be, and where rows wait."""

from pathlib import Path

from pydantic import Field

from exporter.config.fields import Duration, RelativePath, Size
from exporter.config.model import Options
from exporter.tools.database_url import DatabaseUrlField


class SpoolOptions(Options):
    """The file in which rows wait while the database does not take them."""

    path: RelativePath = Field(Path("chatterfy-exporter.spool.sqlite"), validate_default=True)
    """The SQLite file; beside the configuration unless told otherwise. One exporter alone may have it."""
    limit: Size = Field(512 * 1024**2, ge=1024**2)
    """How long the file may get; what comes then is refused until the database is back."""


class KeepingOptions(Options):
    """How rows are kept."""

    url: DatabaseUrlField | None = None
    """Where to log in as a role that may add events and requests; the database's own URL unless told otherwise."""
    late: Duration = Field(300.0, le=86400.0)
    """How far in the past a timestamp may lie that comes with an event. Counters close their rows that much later."""
    spool: SpoolOptions = Field(default_factory=dict, validate_default=True)
    """Where rows wait while the database is away."""
