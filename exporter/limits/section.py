"""A section of `ingest:` in a configuration is an endpoint: its options, its metrics and its logic are one file."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

from exporter.config.model import Options
from exporter.limits.access import Access
from exporter.limits.listener import Endpoint
from exporter.metrics.store import Store
from exporter.tools import Tools

Row = Mapping[str, object]
"""A row of a logical table, by logical column; a moment is a float, in seconds since 1970."""


class Keeper(Protocol):
    """What keeps rows: in the app's database, or on this machine's disk until it is back."""

    late: float
    """How far in the past a row's time may lie, in seconds."""

    async def accept(self, table: str, rows: Sequence[Row], *, named: bool) -> list[bool] | None:
        """Returns once every row is safe; raises Rejected with `storage` where that cannot be.

        Where keys were `named` by the sender, it tells of each row whether it is new; None where all are.
        """


@dataclass(frozen=True)
class Given:
    """What an endpoint may use; `keeper` is None where the configuration names no database."""

    store: Store
    tools: Tools
    environment: str
    keeper: Keeper | None
    closing: AsyncExitStack
    """Closed when the listener has stopped, or the configuration has changed."""


class Section(Options):
    """What one endpoint is told; without its section an endpoint is off."""

    NAME: ClassVar = ""
    STORES: ClassVar = ""
    """The logical table whose rows it takes; empty for one that only counts."""

    @abstractmethod
    def endpoints(self, given: Given) -> Iterable[Endpoint]:
        """What answers, and where; called once for each start. Raises ExporterError where it cannot work so."""


Kind = TypeVar("Kind", bound=type[Section])

SECTIONS: dict[str, type[Section]] = {}
"""Every section by its key; filled by the files of exporter/ingest and exporter/relay."""


def section(name: str) -> Callable[[Kind], Kind]:
    """Makes the class the section with this key."""

    def register(kind: Kind) -> Kind:
        kind.NAME = name
        SECTIONS[name] = kind
        return kind

    return register


__all__ = ["SECTIONS", "Access", "Given", "Keeper", "Row", "Section", "section"]
