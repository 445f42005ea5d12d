"""The status page and each probe's history, of a running exporter."""

import json

import aiohttp
import pytest
from aiohttp import web

from exporter.states import KEPT, Result, State
from exporter.web.status import ago, seconds, sparkline
from tests.support.servers import http_server


async def test_it_says_what_is_down_since_when_and_why(exporter, unused_tcp_port):
    text = f"""environment: staging
probes: {{port: {{kind: tcp, host: 127.0.0.1, port: {unused_tcp_port}, critical: true}}}}"""
    async with exporter(text) as it:
        await it.until(lambda _: it.app.probes.ready)
        status, body = await it.get("/")

    assert status == 200
    assert "Chatterfy staging" in body
    assert "1 of 1 probes is down, a critical one among them." in body
    assert f"connect: 127.0.0.1:{unused_tcp_port}: Connection refused" in body
    assert "for 0 s" in body or "for 1 s" in body


async def test_it_says_when_all_is_well_and_when_nothing_is_watched_or_known(exporter):
    async def fine(_request):
        return web.Response()

    async with (
        http_server(fine) as port,
        exporter(f"probes: {{web: {{kind: tcp, host: 127.0.0.1, port: {port}}}}}") as it,
    ):
        await it.until(lambda _: it.app.probes.ready)
        well = (await it.get("/"))[1]
        it.app.probes["later"] = State("later", "tcp", critical=False, interval=10)
        waiting = (await it.get("/"))[1]
        unknown = (await it.get("/probes/later"))[1]
    async with exporter("") as it:
        nothing = (await it.get("/"))[1]

    assert "The probe is up." in well
    assert "Waiting for the first result of 1 of 2 probes." in waiting
    assert "Waiting for the first result." in unknown
    assert "Nothing is watched yet" in nothing


async def test_a_probes_history_shows_phases_reason_and_detail_as_html_and_json(exporter, unused_tcp_port):
    async with exporter(f"probes: {{port: {{kind: tcp, host: 127.0.0.1, port: {unused_tcp_port}}}}}") as it:
        await it.until(lambda _: it.app.probes.ready)
        page = (await it.get("/probes/port"))[1]
        status, body = await it.get("/probes/port.json")

    assert "Down for" in page
    assert "Connection refused" in page
    result = json.loads(body)["results"][0]
    assert status == 200
    assert result["reason"] == "connect"
    assert result["detail"] == f"127.0.0.1:{unused_tcp_port}: Connection refused"
    assert result["phases"].keys() == {"connect"}
    assert result["started"].endswith("Z")


@pytest.mark.parametrize("path", ["/probes/nothing", "/probes/nothing.json", "/probes/%3Cscript%3E", "/nothing"])
async def test_what_does_not_exist_is_404_in_plain_words(exporter, path):
    async with exporter("") as it:
        status, body = await it.get(path)

    assert status == 404
    assert "<script>" not in body


async def test_pages_are_not_to_be_framed_sniffed_or_stored(exporter):
    async with exporter("") as it, aiohttp.ClientSession() as session, session.get(it.url + "/") as response:
        headers = response.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_a_defect_in_a_page_is_a_500_without_details_and_a_word_in_the_log(exporter, capsys):
    async with exporter("") as it:
        it.app.probes["broken"] = None

        status, body = await it.get("/")

    assert (status, body) == (500, "Internal Server Error\n")
    assert '"event": "request.failed"' in capsys.readouterr().err


def result(started: float, *, failed: bool = False) -> Result:
    return Result(started, 0.1 + started / 100, (), "connect" if failed else None, "no" if failed else "")


def test_failures_are_kept_longer_than_successes():
    state = State("it", "tcp", critical=False, interval=10)
    state.add(result(0, failed=True))
    for moment in range(1, 250):
        state.add(result(moment))

    history = state.history()

    assert len(history) == KEPT + 1
    assert [entry.started for entry in history[:2]] == [249, 248]
    assert (history[-1].started, history[-1].reason) == (0, "connect")
    assert state.since == 1


def test_a_sparkline_draws_the_latest_forty_and_marks_failures():
    state = State("it", "tcp", critical=False, interval=10)
    for moment in range(60):
        state.add(result(moment, failed=moment == 59))

    line = sparkline(state)

    assert line.path.count("L") == 39
    assert line.failures == (158.0,)
    assert sparkline(State("new", "tcp", critical=False, interval=10)).path == ""


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [(0, "0 s"), (-5, "0 s"), (59, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (7200, "2 h"), (90000, "1 d 1 h")],
)
def test_spans_are_said_in_their_two_largest_units(elapsed, text):
    assert ago(elapsed) == text


@pytest.mark.parametrize(("duration", "text"), [(0.0032, "3.2 ms"), (1.254, "1.25 s"), (59.96, "60 s"), (3600, "1 h")])
def test_durations_are_said_as_people_do(duration, text):
    assert seconds(duration) == text
