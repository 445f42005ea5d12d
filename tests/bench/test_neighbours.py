"""What is measured with every kind in use can start: the bench writes a configuration that is valid."""

import asyncio
import json
import sys
from pathlib import Path

from exporter.probes.base import KINDS
from exporter.settings import load

ROOT = Path(__file__).parents[2]


async def test_the_configuration_names_every_kind_and_is_valid(tmp_path, unused_tcp_port):
    program = (sys.executable, "-m", "bench.programs.neighbours", str(tmp_path), str(unused_tcp_port))
    neighbours = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert neighbours.stdout
        facts = json.loads(await neighbours.stdout.readline())
        settings = load(Path(facts["path"]), facts["environ"])
    finally:
        neighbours.terminate()
        await neighbours.wait()

    assert {options.kind for options in settings.probes.values()} == set(KINDS)
