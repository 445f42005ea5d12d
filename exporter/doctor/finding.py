"""What a check finds: a line each, with what is wrong and what to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

SHOWN = 5
"""Names that a line lists; the rest are counted."""
_LONGEST = 400
"""Characters of a line: it may quote what a server said."""


@dataclass(frozen=True)
class Finding:
    """One line of the report; `skip` is what could not be looked at, and no fault."""

    mark: Literal["ok", "wrong", "skip"]
    text: str


def good(text: str) -> Finding:
    """Something is as it should be."""
    return Finding("ok", plain(text))


def wrong(what: str, remedy: str) -> Finding:
    """Something is not: what, and what to do about it."""
    return Finding("wrong", f"{plain(what)}: {plain(remedy)}")


def skip(what: str, remedy: str) -> Finding:
    """Something is not looked at: what, and what would change that."""
    return Finding("skip", f"{what}: {remedy}")


def plain(text: str) -> str:
    """Text of a server's as a line may show it: no control characters, nothing of a URL that may be secret, an end."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    line = re.sub(r"//[^\s\"']*@", "//***@", line)
    line = re.sub(r"(https?://[^\s?\"']*)\?[^\s\"']*", r"\1?***", line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."


def some(names: Iterable[str]) -> str:
    """The first of these names, and how many more there are."""
    listed = sorted(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return f"{', '.join(listed[:SHOWN])}{more}"
