"""Prisma, the app's own ORM: the real client, which writes for tests."""

import asyncio
import hashlib
import json
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
    """Runs a step of write.mjs."""
    process = await asyncio.create_subprocess_exec(
        program("npm"), "run", "--silent", "write", style, step, cwd=INSTALLED,
        env=environment(DATABASE_URL=url), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    output, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, errors.decode()
    written: Written = json.loads(output)
    return written


def install() -> None:
    """Makes .tools/prisma with the packages, as locked, and a client for each naming style; keeps what is current."""
    files = [file for file in sorted(SOURCE.iterdir()) if file.suffix != ".mjs"]
    wanted = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    ready = INSTALLED / ".ready"
    if not (ready.exists() and ready.read_text() == wanted):
        program("node")
        INSTALLED.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=INSTALLED.parent) as folder:
            made = Path(folder) / "prisma"
            shutil.copytree(SOURCE, made)
            _npm(made, "ci")
            _npm(made, "run", "generate")
            (made / ".ready").write_text(wanted)
            shutil.rmtree(INSTALLED, ignore_errors=True)
            made.rename(INSTALLED)
    shutil.copy(SOURCE / "write.mjs", INSTALLED)


def _npm(folder: Path, *arguments: str) -> None:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [program("npm"), *arguments], cwd=folder, env=environment(**NO_ENGINE), capture_output=True, text=True,
        timeout=90,
    )  # fmt: skip
    if done.returncode:
        cannot(f"npm {' '.join(arguments)} failed: {done.stderr}")
