"""The page that draws: its packages, as locked, and its build; both are kept until what they are made of changes."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent
PACKAGES = FOLDER / "node_modules"
BUILT = FOLDER / "dist"

_LOCKED = ("package.json", "package-lock.json", ".npmrc")
_SOURCES = ("index.html", "vite.config.mjs", "tsconfig.json")


class CannotDrawError(Exception):
    """Something is missing or broken that has nothing to do with a dashboard; says what to do."""


def build() -> None:
    """Makes node_modules and dist where they are missing or stale: a minute and 700 MB the first time.

    Raises:
        CannotDrawError: with what npm or vite said.
    """
    packages = _digest(FOLDER / name for name in _LOCKED)
    if _mark(PACKAGES) != packages:
        _run(program("npm"), "ci", "--legacy-peer-deps", "--ignore-scripts")
        (PACKAGES / ".ready").write_text(packages)
    sources = [*(FOLDER / name for name in _SOURCES), *(file for file in (FOLDER / "src").rglob("*") if file.is_file())]
    built = _digest([*(FOLDER / name for name in _LOCKED), *sources])
    if _mark(BUILT) != built:
        _run(node(), str(PACKAGES / "vite/bin/vite.js"), "build", "--logLevel", "warn")
        (BUILT / ".ready").write_text(built)


def node() -> str:
    """Of the packages, since Debian 12's is too old; that of the machine where the packages have none for it."""
    own = PACKAGES / ".bin/node"
    return str(own) if own.exists() else program("node")


def program(name: str) -> str:
    """The path of a program of Debian's.

    Raises:
        CannotDrawError: when it is not there.
    """
    found = shutil.which(name)
    if found is None:
        raise CannotDrawError(f"{name} is missing: run scripts/install-debian.sh")
    return found


def _run(*command: str) -> None:
    environment = os.environ | {"NODE_ENV": "production", "npm_config_include": "dev"}
    done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotDrawError(f"{Path(command[0]).name} {' '.join(command[1:])} failed:\n{done.stdout}{done.stderr}")


def _digest(files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for file in sorted(files):
        whole.update(f"{file.relative_to(FOLDER)}\0".encode() + file.read_bytes() + b"\0")
    return whole.hexdigest()


def _mark(folder: Path) -> str:
    mark = folder / ".ready"
    return mark.read_text() if mark.exists() else ""
