"""The pages of docs/ingest: their configurations load, their limits are true, their code runs in an API as it is."""

import asyncio
import json
import re
import shutil
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from exporter.settings import load
from tests.support import npm
from tests.support.cli import environment
from tests.support.keeping import app_database, keeping
from tests.support.servers import closed_port, http_server

DOCS = npm.ROOT / "docs/ingest"
TOKEN = "correct-horse-battery"
LISTEN = "import { app } from './app.js'\nimport { flushMetrics } from './middleware/metrics.js'\n"
SERVER = f"{LISTEN}const server = app.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'))\n"
REQUESTS = 'SELECT endpoint, method, status FROM "Metric" ORDER BY 1, 2, 3'
EVENTS = 'SELECT "eventType", data FROM "BusinessEvent" ORDER BY 1, 2'
SOON = 30.0


class Api:
    """The app of tests/sdks/events with the files of the docs, in Node."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.url = url
        self.session = session

    async def ask(self, method: str, path: str) -> tuple[int, str]:
        async with self.session.request(method, self.url + path) as response:
            return response.status, await response.text()

    async def stop(self) -> tuple[int | None, str]:
        """Tells it to end; gives its exit code and what it warned of."""
        self.process.terminate()
        async with asyncio.timeout(SOON):
            _, warned = await self.process.communicate()
        return self.process.returncode, warned.decode()


@dataclass(frozen=True)
class Stored:
    """A listener's address, and what gives the rows that a statement finds behind it."""

    url: str
    rows: Callable[[str], Awaitable[list[tuple[object, ...]]]]


def documented() -> dict[str, str]:
    """The files of the page by name."""
    code = re.findall(r"```js\n(.+?)```", (DOCS / "events.md").read_text(), re.DOTALL)
    files = re.split(r"^// (\S+\.js)\b.*\n", "".join(code), flags=re.MULTILINE)[1:]
    return dict(zip(files[::2], files[1::2], strict=True))


@pytest.fixture
def folder(tmp_path):
    """The app, with the packages beside it."""
    installed, files = npm.install("events"), documented()
    files["server.js"] = SERVER + files["server.js"]
    for name, text in files.items():
        path = tmp_path / "api" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "api/node_modules").symlink_to(installed / "node_modules")
    for name in ("app.js", "package.json"):
        shutil.copy(npm.ROOT / "tests/sdks/events" / name, tmp_path / "api")
    return tmp_path / "api"


@pytest.fixture
def api(folder):
    @asynccontextmanager
    async def start(ingest):
        port = closed_port()
        environ = environment(INGEST_URL=ingest, INGEST_TOKEN=TOKEN, PORT=str(port))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            npm.node(npm.install("events")), "server.js", cwd=folder, env=environ, stdout=pipe, stderr=pipe
        )
        async with aiohttp.ClientSession() as session:
            try:
                async with asyncio.timeout(SOON):
                    assert process.stdout
                    assert process.stderr
                    assert await process.stdout.readline() == b"listening\n", await process.stderr.read()
                yield Api(process, f"http://127.0.0.1:{port}", session)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    return start


@pytest.fixture
async def stored(postgres_cluster, tmp_path):
    """A running listener that asks for the token, and what is in its tables."""
    (tmp_path / "token").write_text(TOKEN)
    sections = {name: {"token": {"file": "token"}} for name in ("events", "requests")}
    async with app_database(postgres_cluster) as url, keeping(url, tmp_path, sections=sections) as it:
        connection = await asyncpg.connect(url)

        async def rows(statement):
            return [tuple(row) for row in await connection.fetch(statement)]

        yield Stored(it.url, rows)
        await connection.close()


class Between:
    """Stands between the API and the listener, and does to each path's first requests what `ways` say."""

    def __init__(self, url: str, *ways: str) -> None:
        self._url = url
        self._ways = ways
        self.came: dict[str, list[tuple[float, int]]] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Notes when it came, and with how many rows."""
        body = await request.read()
        came = self.came.setdefault(request.path, [])
        came.append((asyncio.get_running_loop().time(), len(json.loads(body))))
        way = self._ways[len(came) - 1] if len(came) <= len(self._ways) else "passes"
        if way.isdigit():
            return web.Response(status=int(way), headers={"Retry-After": "2"}, text="later\n")
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._url + request.path, data=body, headers=headers) as answer,
        ):
            told = await answer.text()
        if way == "loses the answer":
            assert request.transport
            request.transport.abort()
        return web.Response(status=answer.status, text=told)


async def until(rows, statement: str, count: int) -> None:
    async with asyncio.timeout(SOON):
        while len(await rows(statement)) < count:
            await asyncio.sleep(0.05)


async def test_requests_and_events_of_the_api_stand_in_its_tables(api, stored):
    async with api(stored.url) as it:
        slow = asyncio.create_task(it.ask("GET", "/slow"))
        answers = [
            await it.ask(*request.split())
            for request in (
                "GET /v1/users?key=secret",
                "GET /v1/users/42",
                "DELETE /v1/users/43",
                "POST /v1/chat/completions",
                "POST /signups/7",
                "POST /billing",
                "POST /wrong",
                "GET /legacy/one",
                "GET /wp-login.php",
                "M-SEARCH /",
            )
        ]
        await slow
        stopped, warned = await it.stop()
        requests, events = await stored.rows(REQUESTS), await stored.rows(EVENTS)
        durations = dict(await stored.rows('SELECT endpoint, duration FROM "Metric"'))
        young = await stored.rows(
            """SELECT 1 FROM "Metric" WHERE timestamp > now() AT TIME ZONE 'UTC' - '1m'::interval"""
        )

    assert [status for status, _ in answers] == [200, 200, 500, 201, 204, 204, 400, 200, 404, 404]
    assert answers[6][1] == "/v1/events: 400 events[0].data.fileSize: expected a number of bytes, at least 0"
    assert requests == sorted(
        [
            ("/v1/users", "GET", 200),
            ("/v1/users/:id", "DELETE", 500),
            ("/v1/users/:id", "GET", 200),
            ("/v1/chat/completions", "POST", 201),
            ("/signups/:id", "POST", 204),
            ("/billing", "POST", 204),
            ("/wrong", "POST", 400),
            (r"/^\/legacy", "GET", 200),
            ("/unmatched", "GET", 404),
            ("/unmatched", "MSEARCH", 404),
            ("/slow", "GET", 200),
        ]
    )
    assert [(event, json.loads(data)) for event, data in events] == [
        ("chat_message", {"orgId": "org_1", "provider": "openai", "model": "gpt-5", "tokens": 512}),
        ("file_upload", {"orgId": "org_1", "fileSize": 123456789012, "fileType": "application/pdf"}),
        ("subscription_cancelled", {"orgId": "org_1", "reason": "too_expensive"}),
        ("subscription_created", {"orgId": "org_1", "planCode": "PRO", "amount": 4900}),
        ("user_signup", {"userId": "7", "source": "direct"}),
    ]
    assert 5100 <= durations["/slow"] < 30_000
    assert len(young) == len(requests)
    assert (stopped, re.sub(r"\d+ms", "ms", warned)) == (0, "\N{SNAIL} Slow request: GET /slow - ms\n")


@pytest.mark.parametrize("status", ["503", "429"])
async def test_what_is_refused_for_now_and_whose_answer_is_lost_is_stored_once(api, stored, status):
    between = Between(stored.url, status, "loses the answer")
    async with http_server(between.handle) as port, api(f"http://127.0.0.1:{port}") as it:
        answers = [await it.ask("POST", "/signups/7"), await it.ask("POST", "/signups/7")]
        await until(stored.rows, REQUESTS, 2)
        stopped, warned = await it.stop()
        requests, events = await stored.rows(REQUESTS), await stored.rows('SELECT id FROM "BusinessEvent"')

    assert answers == [(204, ""), (204, "")]
    assert events == [("user_signup:7",)]
    assert requests == [("/signups/:id", "POST", 204)] * 2
    assert stopped == 0
    for path, came in between.came.items():
        assert len(came) >= 3, path
        assert came[1][0] - came[0][0] >= 1.95, path
        assert warned.count(f"{path}: {status} later; trying again") == 1


async def test_while_nobody_answers_the_api_does_and_afterwards_nothing_is_lost_or_doubled(api, stored):
    port, between = closed_port(), Between(stored.url)
    async with api(f"http://127.0.0.1:{port}") as it:
        answers = [await it.ask("GET", f"/v1/users/{number}") for number in range(250)]
        event = asyncio.create_task(it.ask("POST", "/signups/7"))
        async with http_server(between.handle, port=port):
            await event
            await until(stored.rows, REQUESTS, 251)
            await it.stop()
        requests, events = await stored.rows(REQUESTS), await stored.rows('SELECT id FROM "BusinessEvent"')

    sizes = [size for _, size in between.came["/v1/metrics"]]
    assert {status for status, _ in answers} == {200}
    assert requests == [("/signups/:id", "POST", 204)] + [("/v1/users/:id", "GET", 200)] * 250
    assert events == [("user_signup:7",)]
    assert max(sizes) == 100
    assert len(sizes) <= 5


async def test_an_api_that_is_told_to_end_does_so_though_nobody_takes_its_rows(api):
    async with api(f"http://127.0.0.1:{closed_port()}") as it:
        await it.ask("GET", "/v1/users")
        stopped, warned = await it.stop()

    assert stopped == 1
    assert "/v1/metrics: 503 Error: connect ECONNREFUSED" in warned


@pytest.mark.fast
@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.stem)
def test_the_configurations_of_the_pages_load(page, config):
    for text in re.findall(r"```yaml\n(.+?)```", page.read_text(), re.DOTALL):
        named = set(re.findall(r"env: (\w+)", text))
        environ = {name: f"https://key@example.com/{number}" for number, name in enumerate(named)}

        load(
            config(text),
            {**environ, "DATABASE_URL": "postgresql://u:p@db/app", "INGEST_DATABASE_URL": "postgresql://u:p@db/app"},
        )


@pytest.mark.fast
def test_the_limits_of_the_page_are_those_of_the_configuration():
    configuration = (DOCS.parent / "configuration.md").read_text()
    limits = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", (DOCS / "README.md").read_text(), re.MULTILINE)

    assert len(limits) >= 6
    for key, default in limits:
        assert re.search(rf"^\| `{key}` \| [^|]+ \| `{default}` \|", configuration, re.MULTILINE), key
