"""The command `demo`, from its first line to its end."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from exporter.business.shipped import SHIPPED
from exporter.demo.outages import parse
from exporter.demo.run import run
from exporter.errors import ExporterError
from exporter.metrics.catalogue import CATALOGUE
from tests.support.clock import QuickClock
from tests.support.running import total, value


def demo(*, outage: str | None = None, duration: float | None = None, port: int = 0, as_json: bool = True):
    return run(
        outage=parse(outage) if outage else None, duration=duration, port=port, as_json=as_json, clock=QuickClock()
    )


async def until_on_page(url: str, wanted: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            async with session.get(url) as response:
                if wanted in await response.text():
                    return
            await asyncio.sleep(0.05)


async def test_it_shows_an_outage_come_and_go_and_ends_by_itself(until_printed):
    running = asyncio.create_task(demo(outage="stripe:15", duration=40, as_json=False))

    metrics = (await until_printed(r"metrics +(http://127\.0\.0\.1:\d+/metrics)"))[1]
    await until_on_page(metrics, 'chatterfy_probe_success{kind="stripe",probe="stripe"} 1.0')
    await until_printed("demo: outage: stripe is broken for 15 s")
    await until_on_page(metrics, 'chatterfy_probe_success{kind="stripe",probe="stripe"} 0.0')
    await until_on_page(metrics, 'chatterfy_probe_failures_total{kind="stripe",probe="stripe",reason="connect"}')
    await until_printed("demo: outage: stripe is mended")
    await until_on_page(metrics, 'chatterfy_probe_success{kind="stripe",probe="stripe"} 1.0')
    assert await running == 0


async def test_an_outage_without_a_length_lasts_until_the_end(until_printed):
    running = asyncio.create_task(demo(outage="errors"))

    await until_printed("demo: outage: errors is broken until the end")
    os.kill(os.getpid(), signal.SIGTERM)

    assert await running == 0


async def test_a_taken_port_is_an_error_and_everything_is_taken_down(unused_tcp_port):
    taken = await asyncio.start_server(lambda _, __: None, "127.0.0.1", unused_tcp_port)

    async with taken:
        with pytest.raises(ExporterError, match=f"127.0.0.1:{unused_tcp_port} cannot be had"):
            await demo(port=unused_tcp_port)


async def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "exporter.demo.stack", None)  # What Python sees where a package is missing.

    assert await demo() == 2
    assert capsys.readouterr().err == "the demo needs: pip install 'chatterfy-exporter[demo]'\n"


async def start(folder: Path, *options: str, path: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exporter", "demo", "--port", "0", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(folder), "PATH": path},
        start_new_session=True,
    )


async def test_every_business_metric_comes_to_the_page_and_moves(short_folder, bare_path):
    process = await start(short_folder, "--json", path=bare_path)
    assert process.stdout
    metrics = json.loads(await process.stdout.readline())["metrics"]
    declared = {metric.name for query in SHIPPED for metric, _ in query.metrics} | {
        name for name in CATALOGUE if name.startswith("chatterfy_daily_")
    }

    def on_page(page: str) -> set[str]:
        return {name for name in declared if re.search(rf"^{name}(_bucket)?[ {{]", page, re.MULTILINE)}

    pages: list[str] = []
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            while not pages or on_page(pages[-1]) != declared or requests(pages[-1]) == requests(pages[0]):
                await asyncio.sleep(0.2)
                async with session.get(metrics) as response:
                    page = await response.text()
                if pages or requests(page):
                    pages.append(page)
    finally:
        process.terminate()
        await process.communicate()

    assert requests(pages[-1]) > requests(pages[0]) > 10_000
    # By one way only: what came to the table since the first page was posted.
    assert value(pages[-1], 'chatterfy_ingest_kept_rows_total{table="api_request",where="database"}') > 0
    assert total(pages[-1], "chatterfy_ingest_rejected_total") == 0
    assert 'chatterfy_query_enabled{query="messages"} 1.0' in pages[-1]


def requests(page: str) -> float:
    return total(page, "chatterfy_http_requests_total")


async def test_json_is_one_line_within_thirty_seconds_and_the_page_has_every_probe(short_folder, full_path):
    process = await start(short_folder, "--json", "--duration", "10s", path=full_path)
    begin = time.monotonic()

    assert process.stdout
    urls = json.loads(await process.stdout.readline())
    assert time.monotonic() - begin < 90  # thirty where nothing else is going on
    async with aiohttp.ClientSession() as session:
        async with session.get(urls["metrics"]) as response:
            page = await response.text()
        answers = [await answer(session, f"{urls[name]}/-/ready") for name in ("prometheus", "alertmanager")]
        answers.append(await answer(session, urls["slack"]))
        # PostHog's events need no secret, only the key of the toy's own project.
        statuses = {await captured(session, urls["ingest"], key) for key in ("phc_demo", "phc_other")}
    rest, _ = await process.communicate()

    assert list(urls) == ["exporter", "metrics", "ingest", "prometheus", "alertmanager", "slack"]
    assert urls["metrics"] == f"{urls['exporter']}/metrics"
    assert statuses == {200, 403}
    assert answers == [200, 200, 200]
    assert len(re.findall(r"^chatterfy_probe_success\{.*\} 1.0$", page, re.MULTILINE)) == 14
    assert rest == b""
    assert process.returncode == 0
    assert list(short_folder.iterdir()) == []


async def captured(session: aiohttp.ClientSession, ingest: str, key: str) -> int:
    async with session.post(f"{ingest}/ingest/e/", json={"api_key": key, "event": "$pageview"}) as response:
        return response.status


async def answer(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return response.status


async def test_where_the_servers_are_missing_it_says_so_in_one_line_and_goes_on(short_folder, bare_path):
    process = await start(short_folder, "--json", "--duration", "100ms", path=bare_path)

    out, err = await process.communicate()

    urls = json.loads(out)
    assert urls["prometheus"] is urls["alertmanager"] is None
    assert "\ndemo: goes on without prometheus and alertmanager: not found on PATH\n" in err.decode()
    assert process.returncode == 0


async def test_an_interrupted_start_ends_within_five_seconds_and_leaves_nothing(short_folder, full_path):
    process = await start(short_folder, path=full_path)
    assert process.stderr
    while b"writing history: messages" not in await process.stderr.readline():
        pass
    begin = time.monotonic()

    os.killpg(process.pid, signal.SIGINT)
    out, _ = await process.communicate()

    assert time.monotonic() - begin < 15  # five where nothing else is going on
    assert process.returncode == 0
    assert out == b""
    assert list(short_folder.iterdir()) == []
