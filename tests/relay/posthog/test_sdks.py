"""The real SDKs send, set up as the docs say: the page shows what they sent, and PostHog gets their very bytes."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from exporter.limits import LimitsOptions
from tests.support import npm
from tests.support.chromium import browser
from tests.support.cli import environment
from tests.support.programs import program
from tests.support.relay import Relaying, Vendor
from tests.support.running import value
from tests.support.servers import http_server

DOCS = npm.ROOT / "docs/ingest/posthog.md"
KEY = "phc_test_key"
EVENTS = ["chat_message_sent", "subscription_upgrade", "file_uploaded"]
PYTHON = """
import os, posthog
client = posthog.Posthog("phc_test_key", host=os.environ["POSTHOG"], gzip=os.environ["GZIP"] == "yes")
client.capture("file_uploaded", distinct_id="org_9", properties={"fileType": "pdf"})
client.capture("something_else", distinct_id="org_9")
client.capture("$ai_generation", distinct_id="org_9", properties={"$ai_model": "gpt-4o"})
print(client.feature_enabled("new-chat", "org_9"))
client.shutdown()
"""
NODE = """
import { posthog } from './api.js'
posthog.capture({ distinctId: 'org_9', event: 'subscription_upgrade', properties: { fromPlan: 'free', toPlan: 'pro' } })
posthog.capture({ distinctId: 'org_9', event: 'something_else' })
console.log(await posthog.isFeatureEnabled('new-chat', 'org_9'))
await posthog.shutdown()
"""
PAGE = """<!doctype html><script type="importmap">{{"imports": {{"posthog-js": "/modules/dist/module.js"}}}}</script>
<h1>Chats</h1><button>Send</button>
<script type="module">
import {{ PostHog }} from 'posthog-js'
import './instrumentation-client.js'
import posthog from 'posthog-js'
import {{ analytics }} from './analytics.js'
window.seeds = [typeof PostHog.init, typeof PostHog.capture]
analytics.identify('user-1', {{ plan: 'pro' }})
analytics.chatMessageSent('openai', 'gpt-4o')
analytics.subscriptionUpgrade('free', 'pro')
analytics.fileUploaded('pdf', 12)
analytics.track('something_else')
posthog.onFeatureFlags(() => {{ window.flag = posthog.isFeatureEnabled('new-chat') }})
</script>"""
CONFIG = {
    "supportedCompression": ["gzip", "gzip-js"], "hasFeatureFlags": True, "surveys": False,
    "capturePerformance": {"web_vitals": True}, "sessionRecording": {"endpoint": "/s/", "recorderVersion": "v2"},
}  # fmt: skip


@pytest.fixture(scope="module")
def installed() -> Path:
    return npm.install("posthog")


@pytest.fixture
def vendors(upstream: Vendor, assets: Vendor, installed: Path) -> None:
    """PostHog's hosts as they answer: flags, settings, and the scripts out of the package."""

    async def api(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/flags"):
            flag = {
                "key": "new-chat",
                "enabled": True,
                "variant": None,
                "reason": {},
                "metadata": {"id": 1, "version": 1},
            }
            return web.json_response({"flags": {"new-chat": flag}, "errorsWhileComputingFlags": False})
        return web.json_response({"status": "Ok"})

    async def scripts(request: web.Request) -> web.StreamResponse:
        if request.path == f"/array/{KEY}/config":
            return web.json_response(CONFIG)
        file = installed / "node_modules/posthog-js/dist" / request.path.rsplit("/", 1)[1]
        return web.FileResponse(file) if file.exists() else web.Response(status=404)

    upstream.answer, assets.answer = api, scripts


def documented() -> dict[str, str]:
    """The files of the docs by the names that stand above them; the last is the API's."""
    (text,) = re.findall(r"```js\n(.+?)```", DOCS.read_text(), re.DOTALL)
    parts = re.split(r"^// (\S+\.m?js|The API).*\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


async def run(*command: str, folder: Path | None = None, **environ: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=folder, env=environment(**environ), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def events(page: str, name: str) -> object:
    return value(page, f'chatterfy_posthog_events_total{{event="{name}"}}')


async def until(it: Relaying, *names: str) -> str:
    page = ""
    try:
        async with asyncio.timeout(40):
            while not all(events(page, name) for name in names):
                await asyncio.sleep(0.05)
                page = await it.page()
    except TimeoutError:
        raise AssertionError(f"never all of {names}\n{page}") from None
    return page


@pytest.mark.parametrize("gzip", ["no", "yes"])
async def test_the_sdk_for_python_sends_to_a_running_exporter(exporter, upstream, vendors, gzip):
    names = ", ".join(EVENTS)
    text = f"ingest: {{listen: '127.0.0.1:0', posthog: {{api: 'http://127.0.0.1:{upstream.port}', events: [{names}]}}}}"

    async with exporter(text) as it:
        said = await run(sys.executable, "-c", PYTHON, POSTHOG=f"{it.app.ingest_url}/ingest", GZIP=gzip)
        page = await it.until(
            lambda page: (
                'event="$ai_generation"} 1' in page
                and value(page, "chatterfy_posthog_forwards_total") == len(upstream.came) >= 2
            )
        )

    assert said == "True"
    assert {name: events(page, name) for name in ("file_uploaded", "other", "$feature_flag_called")} == {
        "file_uploaded": 1, "other": 1, "$feature_flag_called": 1,
    }  # fmt: skip
    assert {sent.path for sent in upstream.came} == {"/batch/", "/flags/?v=4"}
    assert all((sent.body[:2] == b"\x1f\x8b") == (gzip == "yes") for sent in upstream.came if "flags" not in sent.path)


async def test_the_sdk_for_node_as_the_docs_set_it_up(posthog, upstream, vendors, installed):
    node = npm.node(npm.install("sentry"))  # which has a newer one than Debian

    async with posthog(keys=[KEY], events=EVENTS) as it:
        (installed / "api.js").write_text(documented()["The API"].replace("http://exporter:9878", it.url))
        (installed / "api.test.mjs").write_text(NODE)
        said = await run(node, "api.test.mjs", folder=installed, POSTHOG_KEY=KEY)
        page = await it.page()

    assert said == "true"
    assert events(page, "subscription_upgrade") == 1
    assert events(page, "other") == 1
    assert sorted(sent.body for sent in upstream.came) == sorted(it.came)


async def test_the_docs_let_next_js_pass_on_all_that_is_under_the_prefix(tmp_path):
    (tmp_path / "next.config.mjs").write_text(documented()["next.config.mjs"])
    text = "import it from './next.config.mjs'; console.log(JSON.stringify([it, await it.rewrites()]))"

    said = await run(program("node"), "--input-type=module", "-e", text, folder=tmp_path)

    assert json.loads(said) == [
        {"skipTrailingSlashRedirect": True},
        [{"source": "/ingest/:path*", "destination": "http://exporter:9878/ingest/:path*"}],
    ]


@pytest.mark.parametrize("same_origin", [True, False], ids=["through the page's host", "to another host"])
async def test_the_sdk_for_browsers_as_the_docs_set_it_up(
    posthog, upstream, assets, vendors, installed, tmp_path, same_origin
):
    program("chromium")
    files = documented()

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/modules/"):
            return web.FileResponse(installed / "node_modules/posthog-js" / request.path.removeprefix("/modules/"))
        if request.path.startswith("/ingest/"):
            return await passed_on(request, it)
        if request.path.endswith(".js"):
            return web.Response(text=files[request.path[1:]], content_type="text/javascript")
        return web.Response(text=PAGE.format() if request.path == "/chats" else "bye", content_type="text/html")

    async with (
        http_server(serve) as port,
        posthog(
            keys=[KEY],
            events=EVENTS,
            origins=[f"http://127.0.0.1:{port}"],
            limits=LimitsOptions(proxies=int(same_origin)),
        ) as it,
    ):
        setup = files["instrumentation-client.js"].replace("process.env.NEXT_PUBLIC_POSTHOG_KEY", repr(KEY))
        setup = setup.replace(
            "defaults:", "opt_out_useragent_filter: true, defaults:"
        )  # headless, it is taken for a bot
        files["instrumentation-client.js"] = setup if same_origin else setup.replace("'/ingest'", f"'{it.url}/ingest'")
        async with browser(tmp_path) as tab:
            await tab.open(f"http://127.0.0.1:{port}/chats")
            await until(it, "$pageview", "$identify", "chat_message_sent")
            async with asyncio.timeout(20):
                while not (flag := await tab.evaluate("window.flag")):
                    await asyncio.sleep(0.05)
                while not any(sent.path.startswith("/s/") for sent in upstream.came):
                    for kind in ("mousePressed", "mouseReleased"):  # a recording begins when something happens
                        await tab.call("Input.dispatchMouseEvent", type=kind, x=9, y=9, button="left", clickCount=1)
                    await asyncio.sleep(0.5)
            seeds = await tab.evaluate("JSON.stringify(window.seeds)")
            await tab.open(f"http://127.0.0.1:{port}/bye")  # what is left comes by sendBeacon
            page = await until(it, "$web_vitals", "$pageleave")

    assert flag is True
    assert json.loads(seeds) == ["undefined", "undefined"]
    assert {name: events(page, name) for name in ("$pageview", "$identify", *EVENTS, "other")} == dict.fromkeys(
        ("$pageview", "$identify", *EVENTS, "other"), 1
    )
    assert {sent.path.split("?")[0] for sent in upstream.came} == {"/e/", "/flags/", "/s/"}
    assert "/static/1.449.2/web-vitals" in " ".join(sent.path for sent in assets.came)
    assert sorted(sent.body for sent in upstream.came) == sorted(body for body in it.came if body)
    assert {sent.headers["X-Forwarded-For"] for sent in upstream.came} == {"127.0.0.1"}
    assert not [sent for sent in (*upstream.came, *assets.came) if "Cookie" in sent.headers]


async def passed_on(request: web.Request, it: Relaying) -> web.StreamResponse:
    """As Next.js does with what it rewrites."""
    headers = {name: text for name, text in request.headers.items() if name not in ("Host", "Connection")}
    headers["X-Forwarded-For"] = str(request.remote)
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(
            request.method, it.url + request.path_qs, headers=headers, data=await request.read() or None
        ) as response,
    ):
        kept = {name: text for name, text in response.headers.items() if name not in ("Transfer-Encoding", "Date")}
        return web.Response(status=response.status, headers=kept, body=await response.read())
