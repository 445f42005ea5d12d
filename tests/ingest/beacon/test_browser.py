"""What Chromium measures arrives: with the package web-vitals, and with our own module, which agree."""

import asyncio
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support import npm
from tests.support.chromium import browser
from tests.support.cli import environment
from tests.support.programs import program
from tests.support.relay import Relaying
from tests.support.running import value
from tests.support.web_app import LONGEST, SLOW, click, leave, load, titled, web_app

PACKAGE = """<script type="module">
  import {onCLS, onFCP, onINP, onLCP, onTTFB} from '/modules/web-vitals/dist/web-vitals.js'
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB])
    on((metric) => navigator.sendBeacon('%s/v1/beacon', JSON.stringify(metric)))
</script>"""
OURS = """<script type="module">
  import * as chatterfy from '%s/chatterfy.js'
  chatterfy.configure({url: undefined, page: '/ours'}) // as from an environment that does not name it
  window.trackChatMetrics = chatterfy.trackChatMetrics
</script>"""
CHAT = """(async () => {
  trackChatMetrics.messageStart('m1')
  trackChatMetrics.messageEnd('never begun', 'openai', 'gpt-5')
  await wait(300)
  trackChatMetrics.messageEnd('m1', 'openai', 'gpt-5')
  trackChatMetrics.messageEnd('m1', 'openai', 'gpt-5')
  document.title = 'answered'
})()"""
CHATS = 'chatterfy_chat_response_seconds_count{model="gpt-5",provider="openai"}'
REFUSED = 'chatterfy_ingest_rejected_total{endpoint="beacon",reason="origin"}'
VITALS = ("TTFB", "FCP", "LCP", "INP", "CLS")
DOCS = npm.ROOT / "docs/ingest/beacons.md"

pytestmark = pytest.mark.usefixtures("programs")


@pytest.fixture
def programs() -> None:
    """What all of these tests need."""
    program("chromium")
    npm.install("beacons")


def series(vital: str, page: str, what: str = "count") -> str:
    kind = "score" if vital == "CLS" else "seconds"
    return f'chatterfy_web_vital_{kind}_{what}{{page="{page}",vital="{vital}"}}'


def vitals(*pages: str) -> list[str]:
    return [series(vital, page) for page in pages for vital in VITALS]


def measured(page: str, where: str) -> dict[str, float]:
    """The one observation of each vital there."""
    assert {vital: value(page, series(vital, where)) for vital in VITALS} == dict.fromkeys(VITALS, 1)
    return {vital: value(page, series(vital, where, "sum")) for vital in VITALS}


async def until(it: Relaying, wanted: Iterable[str], count: float = 1) -> str:
    """The page, once all these series have that value."""
    page, left = "", list(wanted)
    try:
        async with asyncio.timeout(30):
            while left := [one for one in left if value(page, one) != count]:
                await asyncio.sleep(0.05)
                page = await it.page()
    except TimeoutError:
        raise AssertionError(f"never {count}: {left}\n{page}\n{it.came}") from None
    return page


async def test_the_package_and_our_module_measure_the_same(beacon, tmp_path):
    async with web_app() as app, beacon(origins=[app.url], pages=["/chat/[id]"]) as it, browser(tmp_path) as tab:
        app.head = PACKAGE % it.url + OURS % it.url
        await load(tab, f"{app.url}/chat/17?token=x#y")
        await click(tab, 1)
        await leave(tab)
        page = await until(it, vitals("/chat/[id]", "/ours"))

    package, ours = measured(page, "/chat/[id]"), measured(page, "/ours")
    assert ours == pytest.approx(package)
    assert SLOW <= ours["TTFB"] <= ours["FCP"] <= ours["LCP"] < 20
    assert LONGEST <= ours["INP"] < 20
    assert 0.01 < ours["CLS"] < 1
    assert "token" not in page


async def test_of_many_interactions_both_leave_out_the_longest(beacon, tmp_path):
    async with web_app() as app, beacon(origins=[app.url], pages=["/chat/[id]"]) as it, browser(tmp_path) as tab:
        app.head = PACKAGE % it.url + OURS % it.url
        await load(tab, f"{app.url}/chat/17")
        await click(tab, 60)
        await leave(tab)
        page = await until(it, vitals("/chat/[id]", "/ours"))

    package, ours = measured(page, "/chat/[id]"), measured(page, "/ours")
    assert ours["INP"] == pytest.approx(package["INP"])
    assert 0.12 <= ours["INP"] < LONGEST


async def test_a_page_that_is_left_twice_is_one_load(beacon, tmp_path):
    async with web_app() as app, beacon(origins=[app.url]) as it, browser(tmp_path) as tab:
        app.head = OURS % it.url
        await load(tab, f"{app.url}/")
        await click(tab, 1)
        await tab.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
        await until(it, vitals("/ours"))
        await tab.evaluate(CHAT)
        await titled(tab, "answered")
        await leave(tab)
        page = await until(it, [CHATS])

    measured(page, "/ours")


async def test_a_chat_s_time_comes_while_its_page_is_open(beacon, tmp_path):
    async with web_app() as app, beacon(origins=[app.url]) as it, browser(tmp_path) as tab:
        app.head = OURS % it.url
        await load(tab, f"{app.url}/")
        await tab.evaluate(CHAT)
        page = await until(it, [CHATS])

    assert 0.3 <= value(page, CHATS.replace("count", "sum")) < 20


async def test_what_the_browser_does_not_take_as_a_beacon_is_fetched(beacon, tmp_path):
    async with web_app() as app, beacon(origins=[app.url]) as it, browser(tmp_path) as tab:
        app.head = OURS % it.url
        await load(tab, f"{app.url}/")
        await tab.evaluate("navigator.sendBeacon = () => false")
        await click(tab, 1)
        await leave(tab)
        page = await until(it, vitals("/ours"))

    assert measured(page, "/ours")["TTFB"] >= SLOW


async def test_a_browser_that_asks_not_to_be_tracked_sends_nothing(beacon, tmp_path):
    asks = "<script>Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})</script>"
    async with web_app() as app, beacon(origins=[app.url]) as it, browser(tmp_path) as tab:
        app.head = asks + OURS % it.url
        await load(tab, f"{app.url}/")
        await tab.evaluate(CHAT)
        await titled(tab, "answered")
        await leave(tab)
        app.head = PACKAGE % it.url
        await load(tab, f"{app.url}/afterwards")
        await leave(tab)
        page = await until(it, [series("LCP", "/afterwards"), series("CLS", "/afterwards")])

    assert "/ours" not in page
    assert value(page, CHATS) is None


async def test_a_page_of_a_foreign_origin_may_import_the_module_but_send_nothing(beacon, tmp_path):
    reads = "fetch('%s/v1/beacon', {method: 'POST', body: '[]'}).catch((error) => document.title = error.name)"
    async with web_app() as app, beacon() as it, browser(tmp_path) as tab:
        app.head = OURS % it.url
        await load(tab, f"{app.url}/")
        imported = await tab.evaluate("typeof trackChatMetrics.messageStart")
        await tab.evaluate(reads % it.url)
        await titled(tab, "TypeError")
        await leave(tab)
        page = await until(it, [REFUSED], 2)

    assert imported == "function"
    assert "web_vital" not in page
    assert not any(it.came)


async def test_the_files_of_the_docs_measure_in_an_app_of_react(beacon, tmp_path):
    files = dict(re.findall(r"```jsx?\n// (\S+)\n(.+?)```", DOCS.read_text(), re.DOTALL))
    async with web_app() as app, beacon(origins=[app.url], pages=["/a/[b]"]) as it, browser(tmp_path) as tab:
        async with it.session.get(f"{it.url}/chatterfy.js") as served:
            files["app/utils/chatterfy.js"] = await served.text()
        bundle = await asyncio.to_thread(bundled, tmp_path / "app", files, f"{it.url}/v1/beacon")
        app.module = lambda _: bundle
        app.head = '<script type="module" src="/modules/bundle.js"></script>'
        await load(tab, f"{app.url}/a/17")
        await tab.evaluate(CHAT)
        await titled(tab, "answered")
        await click(tab, 1)
        await leave(tab)
        page = await until(it, vitals("/a/[b]"), 2)

    assert {"app/utils/performance.js", "app/beacons.jsx", "app/web-vitals.jsx"} <= files.keys()
    assert value(page, CHATS) == 1


def bundled(folder: Path, files: dict[str, str], url: str) -> bytes:
    """The app as one file, as Next.js makes it: environment variables are put in."""
    for path in (npm.ROOT / "tests/sdks/beacons").glob("*.js*"):
        files[path.name] = path.read_text()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    packages = npm.ROOT / ".tools/beacons/node_modules"
    made = subprocess.run(
        [
            program("esbuild", packages / ".bin"), "entry.jsx", "--bundle", "--format=esm", "--jsx=automatic",
            "--alias:next/web-vitals=./next-web-vitals.js", '--define:process.env.NODE_ENV="production"',
            f'--define:process.env.NEXT_PUBLIC_BEACON_URL="{url}"', "--log-level=error",
        ],
        cwd=folder, env=environment(NODE_PATH=str(packages)), capture_output=True, timeout=60,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return made.stdout
