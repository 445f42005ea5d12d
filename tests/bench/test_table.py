"""Tables and their places in a document."""

import pytest

from bench.__main__ import DOCUMENT, MEASURES
from bench.table import markdown, put

pytestmark = pytest.mark.fast

PLACE = "before\n<!-- bench:it -->\n{}<!-- end of bench:it -->\nafter\n"


def test_a_table_lines_up():
    assert markdown(("What", "CPU"), [("a scrape", "1 ms")]) == (
        "| What     | CPU  |\n"
        "|----------|------|\n"
        "| a scrape | 1 ms |\n"
    )  # fmt: skip


def test_a_new_table_replaces_the_old_one_and_leaves_the_prose():
    assert put(PLACE.format("| old |\n"), "it", "| new |\n") == PLACE.format("| new |\n")


def test_a_table_without_a_place_is_an_error():
    with pytest.raises(ValueError, match="0 places for the table 'other'"):
        put(PLACE.format(""), "other", "| new |\n")


def test_the_document_has_a_place_for_every_table():
    text = DOCUMENT.read_text()

    for name in (*MEASURES, "machine", "targets"):
        assert put(text, name, "") != put(text, name, "| new |\n")
