"""How the demo says how far it has come."""

import io

import pytest

from exporter.demo.progress import Progress

pytestmark = pytest.mark.fast


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(stream: io.StringIO) -> str:
    progress = Progress(stream, "demo")
    progress("writing history: people", 0.25)
    progress("ready", 1.0)
    return stream.getvalue()


def test_a_terminal_shows_one_line_that_rewrites_itself():
    assert show(Terminal()) == (
        "\r\x1b[K[#####...............] writing history: people\r\x1b[K[####################] ready\n"
    )


def test_elsewhere_each_step_is_a_line():
    assert show(io.StringIO()) == "demo:  25% writing history: people\ndemo: 100% ready\n"
