"""Tables in Markdown, and their places in a document."""

import re
from collections.abc import Iterable, Sequence


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns line up also where it is read as text."""
    table = [tuple(head), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in table]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    return "\n".join(lines) + "\n"


def put(document: str, name: str, table: str) -> str:
    """The document with the table between the markers of this name; raises ValueError where it has no such place."""
    begin, end = f"<!-- bench:{name} -->\n", f"<!-- end of bench:{name} -->"
    place = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    changed, found = place.subn(lambda _: f"{begin}{table}{end}", document)
    if found != 1:
        raise ValueError(f"the document has {found} places for the table {name!r}")
    return changed
