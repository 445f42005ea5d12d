"""A real pgbouncer in transaction mode, in front of a cluster."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.postgres import USER, Postgres
from tests.support.programs import UNPACKED, program
from tests.support.servers import closed_port

SETTINGS = """[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 4
unix_socket_dir =
"""


@asynccontextmanager
async def pgbouncer(postgres: Postgres, passwords: Mapping[str, str]) -> AsyncIterator[int]:
    """Lets these roles through; gives its port."""
    folder, port = postgres.folder, closed_port()
    (folder / "users").write_text("".join(f'"{role}" "{password}"\n' for role, password in passwords.items()))
    (folder / "pgbouncer.ini").write_text(SETTINGS.format(server=postgres.port, port=port, folder=folder))
    for name in ("users", "pgbouncer.ini"):
        (folder / name).chmod(0o644)
    found = program("pgbouncer", Path("/usr/sbin"), UNPACKED.parent / "sbin")
    process = await asyncio.create_subprocess_exec(
        found, str(folder / "pgbouncer.ini"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        user=USER if os.geteuid() == 0 else None,
    )  # fmt: skip
    try:
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield port
    finally:
        process.terminate()
        await process.wait()
