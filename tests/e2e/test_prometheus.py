"""Real Prometheus reads what we write."""

import asyncio
import subprocess
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from tests.support.programs import program
from tests.support.prometheus import prometheus
from tests.support.servers import hang, http_server, raw_server

P95 = "histogram_quantile(0.95, sum by (le) (rate(chatterfy_probe_duration_seconds_bucket[30s]))) > 0"
PROBES = """probes:
  good: {{kind: tcp, host: 127.0.0.1, port: {port}, interval: 1s, timeout: 500ms}}
  bad: {{kind: tcp, host: 127.0.0.1, port: 1, interval: 1s, timeout: 500ms}}"""


async def test_promtool_finds_nothing_wrong_with_the_page(exporter):
    async with raw_server(hang) as port, exporter(PROBES.format(port=port)) as it:
        await it.until(lambda _: it.app.probes.ready)
        page = await it.page()

    checked = await asyncio.to_thread(
        subprocess.run, [program("promtool"), "check", "metrics"], input=page, capture_output=True, text=True
    )
    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


@asynccontextmanager
async def text_only(url):
    """Prometheus always prefers OpenMetrics: this stands between and asks for the text format."""

    async def forward(_request):
        async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
            return web.Response(body=await response.read(), headers={"Content-Type": response.headers["Content-Type"]})

    async with http_server(forward) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def as_it_is(url):
    yield url


@pytest.mark.parametrize("seen_through", [text_only, as_it_is])
async def test_prometheus_scrapes_both_formats(exporter, tmp_path, seen_through):
    async with raw_server(hang) as port, exporter(PROBES.format(port=port)) as it:
        await it.until(lambda _: it.app.probes.ready)
        async with seen_through(it.url) as url, prometheus(tmp_path, url.removeprefix("http://")) as server:
            good = await server.until("chatterfy_probe_success == 1")
            failing = await server.until("rate(chatterfy_probe_failures_total[30s]) > 0")
            p95 = await server.until(P95)

    assert [series["metric"]["probe"] for series in good] == ["good"]
    assert [(series["metric"]["probe"], series["metric"]["reason"]) for series in failing] == [("bad", "connect")]
    assert len(p95) == 1
