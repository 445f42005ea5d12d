"""Whatever stops, hangs, fills up or is killed: what was acknowledged is stored, once, and counted, once."""

import asyncio
import resource
import signal
import sys
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random

import aiohttp
import pytest

from exporter.clock import SystemClock
from tests.support.keeping import signup
from tests.support.running import value
from tests.support.servers import closed_port

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[3]
SOON = 30.0


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


class Senders:
    """Send events as fast as they are taken, each until it is acknowledged: by single ones and by many."""

    def __init__(self, address, seed):
        self._address, self._random = address, Random(seed)
        self._clock = SystemClock()
        self._keys = count(1)
        self.acknowledged: set[str] = set()
        self.refused = 0
        self.sending = True

    async def run(self):
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(self._send(session, many) for many in (1, 1, 1, 20, 100)))

    async def _send(self, session, many):
        while self.sending:
            keys = [str(next(self._keys)) for _ in range(many)]
            events = [self._event(key) for key in keys]
            while not await self._taken(session, events):
                await asyncio.sleep(0.05)
                for event in events:
                    event.pop("timestamp", None)  # it may be too old by now
            self.acknowledged.update(keys)

    def _event(self, key):
        """Some come with a time of their own, as old as it may be."""
        if self._random.random() < 0.7:
            return signup(key)
        return {**signup(key), "timestamp": int((self._clock.now() - self._random.random() * 1.9) * 1000)}

    async def _taken(self, session, events):
        try:
            async with session.post(self._address, json=events) as response:
                self.refused += response.status == 503
                return response.status == 202
        except (aiohttp.ClientError, OSError):
            return False


@asynccontextmanager
async def sending(exporter, seed):
    """Events come all the while; when it ends, all of them are acknowledged."""
    senders = Senders(exporter.address, seed)
    task = asyncio.create_task(senders.run())
    try:
        yield senders
        senders.sending = False
        await asyncio.wait_for(task, SOON)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def more(senders, number=200):
    """Until so many more are acknowledged."""
    wanted = len(senders.acknowledged) + number
    async with asyncio.timeout(SOON):
        while len(senders.acknowledged) < wanted:
            await asyncio.sleep(0.02)


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
    async with sending(exporter, seed) as senders:
        for _ in range(8):
            match random.choice(["stop", "freeze", "kill", "kill while away", "restart", "end sessions"]):
                case "stop":
                    postgres.stop()
                    await more(senders)
                    postgres.start()
                case "freeze":
                    postgres.freeze()
                    await more(senders)
                    postgres.thaw()
                case "kill":
                    await exporter.kill()
                    await exporter.start()
                case "kill while away":
                    postgres.stop()
                    await more(senders)
                    await exporter.kill()
                    await exporter.start()
                    await more(senders)
                    postgres.start()
                case "restart":
                    postgres.stop()
                    postgres.start()
                case _:
                    await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            await more(senders, random.randrange(400))

    await proven(exporter, senders, sql)


async def test_it_is_killed_again_and_again_while_what_waits_is_brought_to_the_database(postgres, exporter, sql):
    async with sending(exporter, 1) as senders:
        await more(senders)
        postgres.stop()
        await more(senders, 6000)
        postgres.start()
        for _ in range(6):
            await exporter.kill()
            await exporter.start()
            await more(senders, 1)

    await proven(exporter, senders, sql)


async def test_the_disk_is_full_for_a_while(postgres, exporter, sql):
    async with sending(exporter, 2) as senders:
        await more(senders)
        limit = resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE, (400_000, limit[1]))
        postgres.stop()
        async with asyncio.timeout(SOON):
            while senders.refused < 20:
                await asyncio.sleep(0.05)
        taken = len(senders.acknowledged)
        resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE, limit)
        await more(senders)
        postgres.start()

    assert taken > 200
    await proven(exporter, senders, sql)
