"""The module is served so that any page may import it, browsers keep it, and nothing else is there."""

import hashlib

import aiohttp

from exporter.ingest.beacon.script import FILE
from tests.ingest.beacon.conftest import ORIGIN


async def test_the_module_is_served_for_pages_of_all_origins(beacon):
    async with beacon() as it, it.session.get(f"{it.url}/chatterfy.js", headers={"Origin": "https://a.example"}) as got:
        body = await got.read()

    assert got.status == 200
    assert body == FILE.read_bytes()
    assert got.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in got.headers
    assert got.headers["Cache-Control"] == "public, max-age=3600, stale-while-revalidate=86400"


async def test_a_browser_that_has_the_module_is_told_so(beacon):
    tag = f'"{hashlib.sha256(FILE.read_bytes()).hexdigest()[:16]}"'
    answers = {}
    async with beacon() as it:
        for known in (tag, f"W/{tag}", f'"another", {tag}', "*", '"another"'):
            async with it.session.get(f"{it.url}/chatterfy.js", headers={"If-None-Match": known}) as got:
                answers[known] = got.status, len(await got.read()), got.headers["ETag"]

    assert answers == {
        tag: (304, 0, tag),
        f"W/{tag}": (304, 0, tag),
        f'"another", {tag}': (304, 0, tag),
        "*": (304, 0, tag),
        '"another"': (200, FILE.stat().st_size, tag),
    }


async def test_its_headers_can_be_had_alone_and_nothing_can_be_posted_there(beacon):
    async with beacon() as it:
        head = await it.session.head(f"{it.url}/chatterfy.js")
        status, _, _ = await it.post("/chatterfy.js", b"{}", Origin=ORIGIN)

    assert (head.status, head.headers["Content-Length"]) == (200, str(FILE.stat().st_size))
    assert status == 405


def test_it_is_small_and_keeps_nothing_in_the_browser():
    text = FILE.read_text()

    assert len(text.encode()) < 4096
    assert not any(
        word in text for word in ("document.cookie", "localStorage", "sessionStorage", "randomUUID", "import ")
    )


async def test_what_is_posted_stands_on_the_exporter_s_page(exporter):
    async with (
        exporter(f"ingest: {{listen: '127.0.0.1:0', beacon: {{origins: ['{ORIGIN}']}}}}") as it,
        aiohttp.ClientSession() as session,
    ):
        script = await session.get(f"{it.app.ingest_url}/chatterfy.js")
        beacon = await session.post(
            f"{it.app.ingest_url}/v1/beacon", data='{"name":"LCP","value":1}', headers={"Origin": ORIGIN}
        )
        await it.until('chatterfy_web_vital_seconds_count{page="unknown",vital="LCP"} 1.0')

    assert (script.status, beacon.status) == (200, 204)


async def test_without_its_section_neither_the_module_nor_the_beacon_is_there(exporter):
    other = "sentry: {projects: {api: {dsn: {env: DSN}, forward: false}}}"
    async with (
        exporter(f"ingest: {{listen: '127.0.0.1:0', {other}}}", DSN="https://key@localhost/1") as it,
        aiohttp.ClientSession() as session,
    ):
        script = await session.get(f"{it.app.ingest_url}/chatterfy.js")
        beacon = await session.post(f"{it.app.ingest_url}/v1/beacon", headers={"Origin": ORIGIN})

    assert (script.status, beacon.status) == (404, 404)
