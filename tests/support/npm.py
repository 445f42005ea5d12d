"""Packages from npm, as locked, which tests run as users do."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.cli import environment
from tests.support.programs import cannot, program

ROOT = Path(__file__).parents[2]


def install(name: str) -> Path:
    """The folder .tools/`name` with the packages of tests/sdks/`name`; what is current is kept."""
    source, installed = ROOT / "tests/sdks" / name, ROOT / ".tools" / name
    files = [source / "package.json", source / "package-lock.json"]
    wanted = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    ready = installed / ".ready"
    if not (ready.exists() and ready.read_text() == wanted):
        program("node")  # which npm itself runs on
        installed.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=installed.parent) as folder:
            made = Path(folder) / name
            made.mkdir()
            for file in files:
                shutil.copy(file, made)
            done = subprocess.run(
                [program("npm"), "ci", "--ignore-scripts"], cwd=made, env=environment(), capture_output=True,
                text=True, timeout=90,
            )  # fmt: skip
            if done.returncode:
                cannot(f"npm ci failed in tests/sdks/{name}: {done.stderr}")
            (made / ".ready").write_text(wanted)
            shutil.rmtree(installed, ignore_errors=True)
            made.rename(installed)
    return installed


def node(installed: Path) -> str:
    """Node's path: that of the packages, or the machine's own."""
    return program("node", installed / "node_modules/.bin", *map(Path, os.get_exec_path()))
