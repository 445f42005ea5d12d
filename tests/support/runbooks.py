"""The runbooks, taken apart."""

import re
import shlex
import textwrap
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "docs/runbooks"
RUNBOOKS = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.md")) if path.stem != "README"}


class Block(NamedTuple):
    """A code block and the runbook it stands in."""

    alert: str
    language: str
    code: str


def blocks(*languages: str) -> list[Block]:
    """Every code block in one of these languages."""
    found = [
        Block(alert, language, textwrap.dedent(code).strip())
        for alert, text in RUNBOOKS.items()
        for language, code in re.findall(r"^ *```(\w+)\n(.*?)\n *```$", text, re.MULTILINE | re.DOTALL)
    ]
    return [block for block in found if block.language in languages]


def commands() -> list[tuple[str, list[str]]]:
    """Every call of our own program, in code blocks and in sentences: the runbook, and the arguments."""
    texts = [(block.alert, line) for block in blocks("sh") for line in block.code.splitlines()]
    texts += [(alert, code) for alert, text in RUNBOOKS.items() for code in re.findall(r"`([^`\n]+)`", text)]
    return [(alert, shlex.split(text)[1:]) for alert, text in texts if text.startswith("chatterfy-exporter ")]


def silence(alert: str) -> list[str]:
    """The words of the runbook's command that silences the alert."""
    (command,) = (block.code for block in blocks("sh") if block.alert == alert and "silence add" in block.code)
    return shlex.split(command.replace("\\\n", " "))
