"""Paths without what is different in every one of them: ids and query strings."""

import re
from collections.abc import Callable

Rules = tuple[tuple[str, str], ...]
"""Regular expressions (such as PostgreSQL and Python read alike) and what they are replaced by, in order."""

PATH_RULES: Rules = (
    (r"[?#].*$", ""),
    (r"/[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?=/|$)", "/:id"),
    (r"/(?:[a-z]{2,8}_)?(?=[A-Za-z]*[0-9])[A-Za-z0-9_-]{16,}(?=/|$)", "/:id"),
    (r"/[0-9]+(?=/|$)", "/:id"),
)
"""Query strings go; UUIDs, cuids and the like, and numbers become `:id`."""


def normaliser(rules: Rules) -> Callable[[str], str]:
    """A function that applies the rules to a text, each wherever it matches."""
    compiled = [(re.compile(match, re.DOTALL), replace) for match, replace in rules]

    def normalise(text: str) -> str:
        for pattern, replace in compiled:
            text = pattern.sub(replace, text)
        return text

    return normalise
