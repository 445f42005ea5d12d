"""Whatever stops, hangs, fills up or is killed: what was acknowledged is stored, once, and counted, once."""

import asyncio
import resource
import signal
import sys
from pathlib import Path
from random import Random

import pytest

from tests.support.keeping import signup
from tests.support.running import value
from tests.support.sending import SOON, Senders, sending
from tests.support.servers import closed_port

ROOT = Path(__file__).parents[3]


class Exporter:
    """The endpoints in a process of their own, which may be killed and started again."""

    def __init__(self, url, folder):
        self._url, self._folder, self.port = url, folder, closed_port()
        self.address = f"http://127.0.0.1:{self.port}/v1/events"

    async def start(self):
        program = ("-m", "tests.support.keeping", self._url, str(self._folder), str(self.port))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *program, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )

    async def kill(self):
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self):
        self.process.terminate()
        out, _ = await self.process.communicate()
        return out.decode()


async def stored(sql, number):
    """Until so many rows are in the database."""
    async with asyncio.timeout(SOON):
        while await sql('SELECT count(*) FROM "BusinessEvent"') < [(number,)]:
            await asyncio.sleep(0.05)


async def proven(exporter, senders, sql):
    """Acknowledged equals stored equals counted, to the row."""
    await stored(sql, len(senders.acknowledged))
    page = await exporter.stop()
    keys = [row[0] for row in await sql('SELECT id FROM "BusinessEvent"')]
    assert len(keys) == len(senders.acknowledged)
    assert set(keys) == senders.acknowledged
    assert value(page, 'own_events_total{name="user_signup"}') == len(keys)
    assert value(page, 'chatterfy_query_late_rows{query="events"}') == 0


@pytest.fixture
async def exporter(postgres, url, tmp_path):
    it = Exporter(url, tmp_path)
    await it.start()
    yield it
    if it.process.returncode is None:
        await it.kill()


@pytest.mark.parametrize("seed", range(3))
async def test_the_database_stops_hangs_and_comes_back_and_the_exporter_is_killed_all_the_while(
    postgres, exporter, sql, seed
):
    random = Random(seed)
    senders = Senders(exporter.address, signup, seed)
    async with sending(senders):
        for _ in range(8):
            match random.choice(["stop", "freeze", "kill", "kill while away", "restart", "end sessions"]):
                case "stop":
                    postgres.stop()
                    await senders.more()
                    postgres.start()
                case "freeze":
                    postgres.freeze()
                    await senders.more()
                    postgres.thaw()
                case "kill":
                    await exporter.kill()
                    await exporter.start()
                case "kill while away":
                    postgres.stop()
                    await senders.more()
                    await exporter.kill()
                    await exporter.start()
                    await senders.more()
                    postgres.start()
                case "restart":
                    postgres.stop()
                    postgres.start()
                case _:
                    await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            await senders.more(random.randrange(400))

    await proven(exporter, senders, sql)


async def test_it_is_killed_again_and_again_while_what_waits_is_brought_to_the_database(postgres, exporter, sql):
    senders = Senders(exporter.address, signup, 1)
    async with sending(senders):
        await senders.more()
        postgres.stop()
        await senders.more(6000)
        postgres.start()
        for _ in range(6):
            await exporter.kill()
            await exporter.start()
            await senders.more(1)

    await proven(exporter, senders, sql)


async def test_the_disk_is_full_for_a_while(postgres, exporter, sql):
    senders = Senders(exporter.address, signup, 2)
    async with sending(senders):
        await senders.more()
        limit = resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE, (400_000, limit[1]))
        postgres.stop()
        async with asyncio.timeout(SOON):
            while senders.refused < 20:
                await asyncio.sleep(0.05)
        taken = len(senders.acknowledged)
        resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE, limit)
        await senders.more()
        postgres.start()

    assert taken > 200
    await proven(exporter, senders, sql)
