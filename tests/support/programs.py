"""Programs that Debian has and Python does not."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

UNPACKED = Path(__file__).parents[2] / ".tools/debian/usr/bin"


def program(name: str, *folders: Path) -> str:
    """The program's path (in these folders). Without it a test is skipped on a laptop and fails where `CI` is set."""
    places = [str(folder) for folder in folders] or [os.environ.get("PATH", ""), str(UNPACKED)]
    found = shutil.which(name, path=":".join(places))
    if found is None:
        cannot(f"{name} is missing: run scripts/install-debian.sh")
    return found


def cannot(reason: str) -> NoReturn:
    """Skips the test on a laptop, and fails it where `CI` is set."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
