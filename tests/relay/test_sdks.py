"""The real SDKs send, set up as the docs say: the page shows what they sent, and Sentry gets their very bytes."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from tests.support import npm
from tests.support.chromium import browser
from tests.support.cli import environment
from tests.support.programs import program
from tests.support.relay import KEY, Relaying
from tests.support.running import value
from tests.support.servers import http_server

DOCS = npm.ROOT / "docs/ingest/sentry.md"
PYTHON = """
import os, sentry_sdk
sentry_sdk.init(dsn=os.environ["SENTRY_DSN"], environment="staging", traces_sample_rate=1.0)
try:
    1 / 0
except ZeroDivisionError as error:
    sentry_sdk.capture_exception(error)
sentry_sdk.capture_message("careful", level="warning")
with sentry_sdk.start_transaction(op="task", name="GET /users/17"):
    pass
sentry_sdk.flush(10)
"""
MODULES = {
    "@sentry/browser": "@sentry/browser/build/npm/esm/prod/index.js",
    "@sentry/browser-utils": "@sentry/browser-utils/build/esm/index.js",
    "@sentry/conventions/": "@sentry/conventions/dist/",
    "@sentry/core": "@sentry/core/build/esm/index.js",
    "@sentry/core/browser": "@sentry/core/build/esm/browser.js",
    "@sentry/feedback": "@sentry/feedback/build/npm/esm/index.js",
    "@sentry/replay": "@sentry/replay/build/npm/esm/index.js",
    "@sentry/replay-canvas": "@sentry/replay-canvas/build/npm/esm/index.js",
    "web-vitals": "web-vitals/dist/web-vitals.js",
}
"""What a bundler would find out: which file a package's name means."""
PAGE = """<script type="importmap">{{"imports": {imports}}}</script>
<script type="module">
{setup}
Sentry.captureException(new Error('boom in the browser'))
Sentry.startSpan({{name: 'GET /orgs/17', op: 'pageload', forceTransaction: true}}, () => {{}})
await Sentry.flush(10000)
</script>"""


@pytest.fixture(scope="module")
def installed() -> Path:
    return npm.install("sentry")


def documented() -> dict[str, str]:
    """The files of the docs by name, with every transaction sampled."""
    files = dict(re.findall(r"```js\n// (\S+)\n(.+?)```", DOCS.read_text(), re.DOTALL))
    return {name: text.replace("tracesSampleRate: 0.1", "tracesSampleRate: 1") for name, text in files.items()}


async def run(*command: str, folder: Path | None = None, **environ: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=folder, env=environment(**environ), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def dsn(url: str) -> str:
    """The DSN of the project with the exporter as its host."""
    return f"{url.replace('://', f'://{KEY}@')}/42"


def events(page: str, level: str, environment: str) -> object:
    series = f'chatterfy_sentry_events_total{{environment="{environment}",level="{level}",project="api"}}'
    return value(page, series)


async def until(it: Relaying, wanted: str) -> str:
    page = ""
    try:
        async with asyncio.timeout(30):
            while wanted not in (page := await it.page()):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"never: {wanted}\n{page}") from None
    return page


async def test_the_sdk_for_node_as_the_docs_set_it_up(sentry, upstream, installed):
    for name, text in documented().items():
        (installed / name).write_text(text)
    shutil.copy(npm.ROOT / "tests/sdks/sentry/api.mjs", installed)

    async with sentry() as it:
        said = await run(
            npm.node(installed), "--import", "./instrument.js", "api.mjs", folder=installed,
            SENTRY_DSN=dsn(it.url), NODE_ENV="staging", RELEASE="chatterfy@1",
        )  # fmt: skip
        page = await it.page()

    assert json.loads(said) == [[500, "Internal Server Error"]]
    assert events(page, "error", "staging") == 1
    assert events(page, "warning", "staging") == 1
    transaction = '{project="api",transaction="GET /users/:id"}'
    assert value(page, f"chatterfy_sentry_transaction_duration_seconds_count{transaction}") == 1
    assert value(page, 'chatterfy_sentry_checkins_total{monitor="aggregate-daily-metrics",status="in_progress"}') == 1
    assert value(page, 'chatterfy_sentry_checkins_total{monitor="aggregate-daily-metrics",status="ok"}') == 1
    assert value(page, 'chatterfy_sentry_sessions_total{project="api",status="started"}') == 1
    assert len(it.came) >= 5
    assert sorted(sent.body for sent in upstream.came) == sorted(it.came)


async def test_what_the_sdk_for_node_holds_back_because_of_limits_comes_as_its_report(sentry, upstream, installed):
    (installed / "limited.mjs").write_text(
        "import * as Sentry from '@sentry/node'\n"
        "Sentry.init({dsn: process.env.SENTRY_DSN, integrations: []})\n"
        "Sentry.captureMessage('one'); await Sentry.flush(10_000)\n"
        "Sentry.captureMessage('two'); Sentry.captureMessage('three'); await Sentry.flush(10_000)\n"
    )
    upstream.answers(429, X_Sentry_Rate_Limits="60:error:key", Retry_After="60")

    async with sentry() as it:
        await run(npm.node(installed), "limited.mjs", folder=installed, SENTRY_DSN=dsn(it.url))
        page = await it.page()

    assert events(page, "error", "production") == 0
    assert value(page, 'chatterfy_sentry_items_total{item="event",project="api"}') == 1
    assert value(page, 'chatterfy_sentry_outcomes_total{category="error",reason="ratelimit_backoff"}') == 2


async def test_the_sdk_for_python_sends_to_a_running_exporter(exporter, upstream):
    text = "ingest: {listen: '127.0.0.1:0', sentry: {projects: {api: {dsn: {env: UPSTREAM}}}}}"

    async with exporter(text, UPSTREAM=f"http://{KEY}@127.0.0.1:{upstream.port}/42") as it:
        await run(sys.executable, "-c", PYTHON, SENTRY_DSN=dsn(it.app.ingest_url))
        page = await it.until(
            lambda page: (
                'transaction="GET /users/:id"' in page
                and value(page, 'chatterfy_sentry_forwards_total{project="api"}') == len(upstream.came) >= 3
            )
        )

    assert events(page, "error", "staging") == 1
    assert events(page, "warning", "staging") == 1
    assert all(sent.headers["Content-Encoding"] == "gzip" and sent.body[:2] == b"\x1f\x8b" for sent in upstream.came)


async def test_the_sdk_for_browsers_sends_through_the_tunnel(sentry, upstream, installed, tmp_path):
    program("chromium")
    imports = {name: f"/modules/{path}" for name, path in MODULES.items()}
    imports |= {
        f"@sentry/conventions/{it}": f"/modules/@sentry/conventions/dist/{it}.mjs"
        for it in ("attributes", "op", "metrics")
    }
    setup = documented()["instrumentation-client.js"].replace("@sentry/nextjs", "@sentry/browser")
    setup = re.sub("^export .*$", "", setup, flags=re.MULTILINE)  # what only the router of Next.js calls

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/modules/"):
            return web.FileResponse(installed / "node_modules" / request.path.removeprefix("/modules/"))
        return web.Response(text=page_of, content_type="text/html")

    async with http_server(serve) as port, sentry(origins=[f"http://127.0.0.1:{port}"]) as it:
        for said, meant in {
            "process.env.NEXT_PUBLIC_SENTRY_DSN": f"http://{KEY}@127.0.0.1:{upstream.port}/42",
            "process.env.NODE_ENV": "staging",
            "process.env.NEXT_PUBLIC_RELEASE": "chatterfy@1",
        }.items():
            setup = setup.replace(said, repr(meant))  # as Next.js does when it builds
        setup = setup.replace("'/monitoring'", repr(f"{it.url}/monitoring"))
        page_of = PAGE.format(imports=json.dumps(imports), setup=setup)
        async with browser(tmp_path) as tab:
            await tab.open(f"http://127.0.0.1:{port}/chats/17")
            await until(it, 'transaction="GET /orgs/:id"')
            await until(it, 'level="error",project="api"} 1')
            page = await until(it, 'project="api",status="started"} 1')
        async with asyncio.timeout(30):  # what came last may be on its way still
            while value(await it.page(), 'chatterfy_sentry_forwards_total{project="api"}') != len(it.came):
                await asyncio.sleep(0.05)

    assert events(page, "error", "staging") == 1
    assert len(it.came) >= 3
    assert sorted(sent.body for sent in upstream.came) == sorted(it.came)
