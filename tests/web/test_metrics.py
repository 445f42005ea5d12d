"""GET /metrics of a running exporter."""

import asyncio

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.running import value
from tests.support.servers import hang, raw_server


async def test_the_first_page_is_there_at_once_and_says_what_is_running(exporter):
    async with exporter("") as it:
        page = await it.page()

    assert 'chatterfy_build_info{revision="unknown",version="' in page
    assert value(page, "chatterfy_config_last_reload_successful") == 1
    assert value(page, "process_resident_memory_bytes") > 1e6
    assert 'chatterfy_job_runs_total{task="process"} 0.0' in page


async def test_openmetrics_is_served_to_who_asks_for_it(exporter):
    async with exporter("probes: {port: {kind: tcp, host: 127.0.0.1, port: 1}}") as it:
        await it.until('chatterfy_probe_success{kind="tcp",probe="port"} 0.0')
        _, body = await it.get("/metrics", Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")

    families = {family.name: family.type for family in text_string_to_metric_families(body)}
    assert families["chatterfy_probe_runs"] == "counter"
    assert families["chatterfy_probe_duration_seconds"] == "histogram"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        ),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ],
)
async def test_the_content_type_is_negotiated_as_prometheus_client_does(exporter, accept, content_type):
    async with (
        exporter("") as it,
        aiohttp.ClientSession() as session,
        session.get(it.url + "/metrics", headers={"Accept": accept}) as response,
    ):
        got = response.headers["Content-Type"]

    assert got == content_type


async def test_compression_is_for_those_who_take_it(exporter):
    async with exporter("") as it, aiohttp.ClientSession(auto_decompress=False) as session:
        async with session.get(it.url + "/metrics", headers={"Accept-Encoding": "gzip"}) as response:
            packed = await response.read(), response.headers["Content-Encoding"]
        async with session.get(it.url + "/metrics", headers={"Accept-Encoding": "identity"}) as response:
            plain = await response.read()

    assert packed[0].startswith(b"\x1f\x8b")
    assert packed[1] == "gzip"
    assert b"chatterfy_build_info" in plain


async def test_the_process_is_read_again_as_a_job(exporter):
    async with exporter("") as it:
        page = await it.until('chatterfy_job_runs_total{task="process"} 1.0')

    assert value(page, 'chatterfy_job_duration_seconds_count{task="process"}') == 1
    assert value(page, 'chatterfy_job_last_success_timestamp_seconds{task="process"}') is not None


async def test_a_hanging_dependency_slows_no_scrape_and_no_other_probe(exporter):
    async with raw_server(hang) as port:
        text = f"""probes:
          hung: {{kind: http, url: "http://127.0.0.1:{port}/", interval: 60s, timeout: 50s}}
          quick: {{kind: tcp, host: 127.0.0.1, port: {port}, interval: 1s, timeout: 500ms}}"""
        async with exporter(text) as it:
            runs = 'chatterfy_probe_runs_total{kind="tcp",probe="quick"}'
            await it.until(lambda page: (value(page, runs) or 0) >= 3)
            async with asyncio.timeout(10):
                page = await it.page()

    assert 'chatterfy_probe_runs_total{kind="http",probe="hung"} 0.0' in page
    assert 'chatterfy_probe_success{kind="tcp",probe="quick"} 1.0' in page
