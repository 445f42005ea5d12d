"""Prisma, the app's own ORM: the real client, which writes for tests."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.cli import environment
from tests.support.programs import cannot, program

SOURCE = Path(__file__).parents[1] / "prisma"
INSTALLED = Path(__file__).parents[2] / ".tools/prisma"
NO_ENGINE = {"PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true", "CHECKPOINT_DISABLE": "1"}
"""The engine would be downloaded to generate a client, which does not need it; nor is Prisma to look for news."""

Written = list[tuple[str, dict[str, str | None], float]]
"""What the exporter must show: metric, labels, amount to add."""


async def write(style: str, step: str, url: str) -> Written:
    """Runs a step of write.mjs, as a process of its own."""
    node = program("node", INSTALLED / "node_modules/.bin", *map(Path, os.get_exec_path()))
    done = await asyncio.to_thread(
        subprocess.run, [node, "write.mjs", style, step], cwd=INSTALLED, env=environment(DATABASE_URL=url),
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written: Written = json.loads(done.stdout)
    return written


def install() -> None:
    """Makes .tools/prisma with the packages, as locked, and a client for each naming style; keeps what is current."""
    files = [file for file in sorted(SOURCE.iterdir()) if file.is_file() and file.suffix != ".mjs"]
    wanted = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    ready = INSTALLED / ".ready"
    if not (ready.exists() and ready.read_text() == wanted):
        program("node")  # which npm itself runs on
        INSTALLED.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=INSTALLED.parent) as folder:
            made = Path(folder) / "prisma"
            made.mkdir()
            for file in files:
                shutil.copy(file, made)
            _npm(made, "ci")
            _npm(made, "run", "generate")
            (made / ".ready").write_text(wanted)
            shutil.rmtree(INSTALLED, ignore_errors=True)
            made.rename(INSTALLED)
    shutil.copy(SOURCE / "write.mjs", INSTALLED)


def _npm(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [program("npm"), *arguments], cwd=folder, env=environment(**NO_ENGINE), capture_output=True, text=True,
        timeout=90,
    )  # fmt: skip
    if done.returncode:
        cannot(f"npm {' '.join(arguments)} failed: {done.stderr}")
