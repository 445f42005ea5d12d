"""A web app as browsers see it: slow to answer, with content that jumps and a button that takes its time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from tests.support import npm
from tests.support.chromium import Tab
from tests.support.servers import http_server

SLOW = 0.15
"""Seconds until the app answers."""
LONGEST = 1.5
"""Seconds that the first click takes at least; the next eleven take 40 to 140 ms, and the rest none."""
BODY = """<!doctype html><title>A page</title><div id="app"></div>
<p id="late" style="height: 0; margin: 0"></p><h1>The largest text of this page</h1><button>Say it</button>
<script>
  let clicks = 0
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds))
  const paint = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  const busy = (milliseconds) => { for (const end = performance.now() + milliseconds; performance.now() < end; ); }
  document.querySelector('button').onclick = () => {
    document.title = `clicked ${++clicks}`
    busy(clicks === 1 ? 1500 : clicks < 13 ? 140 - 8 * clicks : 0)
  }
  const jump = async (height) => {
    document.querySelector('#late').style.height = height + 'px'
    await paint()
  }
  const load = async () => {
    await paint()
    await jump(40)
    await jump(90)
    await wait(1100)
    await jump(300)
    document.title = 'loaded'
  }
  load()
</script>"""


@dataclass
class WebApp:
    """Each of its pages has this head; what is under /modules/ is a file of the packages, unless told otherwise."""

    url: str = ""
    head: str = ""
    module: Callable[[str], bytes] = lambda path: (npm.ROOT / ".tools/beacons/node_modules" / path).read_bytes()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/modules/"):
            return web.Response(body=self.module(request.path[len("/modules/") :]), content_type="text/javascript")
        await asyncio.sleep(SLOW)  # which is what browsers are to measure
        return web.Response(text=self.head + BODY, content_type="text/html")


@asynccontextmanager
async def web_app() -> AsyncIterator[WebApp]:
    """The app, on 127.0.0.1."""
    it = WebApp()
    async with http_server(it.serve) as port:
        it.url = f"http://127.0.0.1:{port}"
        yield it


async def titled(tab: Tab, title: str) -> None:
    """Waits until the page has this title."""
    async with asyncio.timeout(20):
        while await tab.evaluate("document.title") != title:
            await asyncio.sleep(0.02)


async def load(tab: Tab, url: str) -> None:
    """Opens a page of the app, and waits until its content has jumped."""
    await tab.open(url)
    await titled(tab, "loaded")


async def click(tab: Tab, times: int) -> None:
    """Clicks the page's button, as a user does."""
    at = json.loads(await tab.evaluate("JSON.stringify(document.querySelector('button').getBoundingClientRect())"))
    for number in range(1, times + 1):
        for kind in ("mousePressed", "mouseReleased"):
            await tab.call(
                "Input.dispatchMouseEvent", type=kind, x=at["x"] + 5, y=at["y"] + 5, button="left", clickCount=1
            )
        await titled(tab, f"clicked {number}")
    await tab.evaluate("paint().then(() => document.title = 'painted')")
    await titled(tab, "painted")


async def leave(tab: Tab) -> None:
    """Goes elsewhere, which is when browsers tell what they measured."""
    await tab.open("about:blank")
