"""What fields may hold: hand-written, since a model for each event would cost more than all the rest."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from exporter.limits import Rejected

LARGEST = 1e300
"""Beyond every number of a field."""
_NUMBERS = (int, float)
LONGEST_NAME = 64
"""Characters of a name for which the nearest one is looked for."""


class Malformed(Exception):  # noqa: N818  (a participle, as Failed is)
    """An item that is not taken: which field of it, and what was expected there."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}" if field else expected)
        self.field = field
        self.expected = expected

    def at(self, where: str) -> Rejected:
        """What the sender of the item at this place is told."""
        return Rejected(400, "body", f"{where}.{self}" if self.field else f"{where}: {self}")


@dataclass(frozen=True)
class Field:
    """A field: what it takes, in words too, and whether it may be missing (or null)."""

    takes: Callable[[object], bool]
    expected: str
    required: bool = True


class Shape:
    """The fields of an object; others may be there too, unless it is `closed`."""

    def __init__(self, fields: Mapping[str, Field], *, closed: bool = False) -> None:
        self._fields = [(name, field.takes, field) for name, field in fields.items()]
        self._names = frozenset(fields) if closed else None

    def check(self, value: Mapping[str, Any], prefix: str = "") -> None:
        """Raises Malformed for the first field that is wrong."""
        for name, takes, field in self._fields:
            found = value.get(name)
            if found is None:
                if field.required:
                    raise Malformed(f"{prefix}{name}", f"missing, expected {field.expected}")
            elif not takes(found):
                raise Malformed(f"{prefix}{name}", f"expected {field.expected}")
        if self._names is not None and not self._names.issuperset(value):
            unknown = next(name for name in value if name not in self._names)
            raise Malformed("", f"unknown key {shown(unknown)}{nearest(unknown, self._names)}")


def text(longest: int, shortest: int = 1) -> tuple[Callable[[object], bool], str]:
    """A text of so many characters."""
    return (
        lambda value: type(value) is str and shortest <= len(value) <= longest,
        f"text of {shortest} to {longest} characters",
    )


def is_number(value: object) -> bool:
    """Whether it is a number that a float can hold; true and false are none."""
    return type(value) in _NUMBERS and -LARGEST < value < LARGEST  # type: ignore[operator]  # it is a number


def is_amount(value: object) -> bool:
    """Whether it is a number of at least 0."""
    return type(value) in _NUMBERS and 0 <= value < LARGEST  # type: ignore[operator]  # it is a number


def shown(name: object) -> str:
    """A name as a message has it: in ASCII, and not longer than names are."""
    return ascii(str(name)[:LONGEST_NAME])


def nearest(name: object, known: Iterable[str]) -> str:
    """Words about the nearest of the known names, or about all where none is near."""
    names = sorted(known)
    near = get_close_matches(str(name)[:LONGEST_NAME], names, n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else f", expected one of {', '.join(names)}"
