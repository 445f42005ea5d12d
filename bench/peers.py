"""The peers, set up in a folder that git ignores: nothing is installed, no service is started."""

import gzip
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench.child import ROOT

TOOLS = ROOT / ".tools"
_DRIVER = "psycopg2-binary"
_QUERY_EXPORTERS = (((3, 12), "5.2.2"), ((3, 11), "5.0.2"))
"""The newest release for each Python, newest first."""


class PeerMissingError(Exception):
    """A peer cannot be had on this machine."""


@cache
def blackbox_exporter() -> Path:
    """The program from Debian's package, unpacked."""
    return _unpacked("prometheus-blackbox-exporter", "blackbox_exporter")


@cache
def blackbox_version() -> str:
    """As the program itself says."""
    return _version(blackbox_exporter())


@cache
def sql_exporter() -> Path:
    """The program from Debian's package, unpacked; justwatchcom/sql_exporter by its source's name."""
    return _unpacked("prometheus-sql-exporter", "sql_exporter")


@cache
def sql_exporter_version() -> str:
    """As the package's changelog says, since the program does not know."""
    changelog = TOOLS / "sql_exporter/usr/share/doc/prometheus-sql-exporter/changelog.Debian.gz"
    sql_exporter()
    match = re.search(r"\((\d+\.\d+\.\d+)", gzip.decompress(changelog.read_bytes()).decode())
    return match[1] if match else "0.0"


@cache
def pushgateway() -> Path:
    """The program from Debian's package, unpacked."""
    return _unpacked("prometheus-pushgateway", "pushgateway")


@cache
def pushgateway_version() -> str:
    """As the program itself says."""
    return _version(pushgateway())


@cache
def query_exporter() -> Path:
    """The newest release that a Python on this machine can run, from PyPI with a driver, in its own environment."""
    python, release = _newest_python()
    folder = TOOLS / f"query-exporter-{release}"
    program = folder / "bin/query-exporter"
    if not program.exists():
        _run(python, "-m", "venv", "--clear", folder)
    if not any(folder.glob("lib/*/site-packages/psycopg2")):
        _run(folder / "bin/pip", "install", "--quiet", f"query-exporter=={release}", _DRIVER)
    return program


@cache
def query_exporter_version() -> str:
    """The release, and the Python that runs it."""
    return f"{_version(query_exporter())} on Python {_version(query_exporter().parent / 'python')}"


def _unpacked(package_name: str, folder_name: str) -> Path:
    folder = TOOLS / folder_name
    program = folder / "usr/bin" / package_name
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run("apt-get", "download", package_name, cwd=folder)
        (package,) = folder.glob("*.deb")
        _run("dpkg-deb", "-x", package, folder)
        package.unlink()
    return program


def _newest_python() -> tuple[Path, str]:
    found = {python: _version(python) for python in _pythons()}
    for needed, release in _QUERY_EXPORTERS:
        for python, version in found.items():
            if tuple(map(int, version.split(".")[:2])) >= needed:
                return python, release
    raise PeerMissingError("query-exporter needs Python 3.11 or later")


def _pythons() -> Iterator[Path]:
    """Python 3.12 of pyenv or the PATH before any other, so that machines that have it measure the same."""
    for minor in (12, 13, 14):
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
        yield from sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python"))
        if on_path := shutil.which(f"python3.{minor}"):
            yield Path(on_path)
    yield Path(sys.executable)


def _version(program: Path) -> str:
    """Its version; 0.0 for one that does not start, such as a shim of pyenv's for a version that is not chosen."""
    try:
        match = re.search(r"\d+\.\d+\.\d+", _run(program, "--version"))
    except PeerMissingError:
        match = None
    return match[0] if match else "0.0"


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    try:
        done = subprocess.run(list(map(str, command)), cwd=cwd, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        told = error.stderr if isinstance(error, subprocess.CalledProcessError) else error.strerror
        raise PeerMissingError(f"{' '.join(map(str, command))}: {told}") from error
    return done.stdout + done.stderr
