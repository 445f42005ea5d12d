"""The visit as a whole: what stands on what, servers that are none, and what is never shown."""

import asyncio
import re
from pathlib import Path

import click
import pytest
from aiohttp import web

from exporter.clock import SystemClock
from exporter.doctor.durations import seconds
from exporter.doctor.finding import good, plain, some
from exporter.doctor.run import run
from exporter.doctor.stack import CHECKS, SERVERS
from exporter.tools.http import ANSWER, LIMIT
from tests.support.cli import run as cli
from tests.support.cli import run_process
from tests.support.doctor import PASSWORD, doctor, grafana
from tests.support.servers import answer, closed_port, hang, http_server, raw_server

STRANGE = [
    "", "null", "7", "[]", "{}", '"x"', "[[]]", "[7]", '{"status": "success", "data": null}', "<html>Log in</html>",
    '{"status": "success", "data": {}}', '{"ready": 1}', '{"config": {"original": "{"}}', "[" * 100_000,
    '{"config": {"original": "' + "[" * 100_000 + '"}}', '{"config": {"original": "receivers: [7]"}}',
    '{"config": {"original": "a: &a [*a]\\nreceivers: *a"}}',
    '{"data": {"result": [{"metric": {}, "value": [1, "NaN"]}]}}',
    '{"data": {"result": []}}', '{"data": {"result": [{"metric": {}, "value": [1, "1e300"]}]}}', "\udcff",
    '[{"uid": "chatterfy-prometheus"}]', '{"status": "ERROR"}',
    ('chatterfy_config_last_reload_successful x\nalertmanager_config_last_reload_successful x\n'
    'alertmanager_notifications_failed_total{integration="slack"} 1e+999'),
    "chatterfy_config_last_reload_successful 1\nchatterfy_alert_pipeline_last_seen_timestamp_seconds nan",
]  # fmt: skip


@pytest.mark.parametrize("status", [200, 400, 404, 500, 503, 302])
@pytest.mark.parametrize("body", STRANGE, ids=lambda body: body[:40])
async def test_whatever_a_server_answers_is_a_finding(body, status):
    async def strange(_request):
        return web.Response(body=body.encode("utf-8", "surrogateescape"), status=status, headers={"Location": "/"})

    async with http_server(strange) as port:
        report = await doctor(dict.fromkeys(SERVERS, f"http://127.0.0.1:{port}"), "token")

    assert not report.well
    assert len(report.wrong) >= 3


@pytest.mark.parametrize(
    "text", [b"", b"\x00\x01", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"HTTP/1.1 999 \x1b[31m\r\n\r\n"]
)
async def test_whoever_speaks_no_http_is_a_finding(text):
    async with raw_server(answer(text)) as port:
        report = await doctor(dict.fromkeys(SERVERS, f"http://127.0.0.1:{port}"), "token")

    assert report.text.endswith(f"\n0 ok, 4 wrong, {len(CHECKS) - 4} not looked at")
    assert "\x1b" not in report.text


async def test_an_answer_without_an_end_is_a_finding():
    async def endless(_request):
        return web.Response(body=b"x" * (LIMIT + 1))

    async with http_server(endless) as port:
        report = await doctor({"exporter": f"http://127.0.0.1:{port}"})

    assert f"/metrics: the answer's body is longer than {LIMIT} bytes: see whether it runs" in report.text


async def test_a_server_that_hangs_is_given_up_after_five_seconds(clock):
    came = asyncio.Event()

    async def talk(reader, writer):
        came.set()
        await hang(reader, writer)

    async with raw_server(talk) as port:
        visit = asyncio.create_task(doctor({"prometheus": f"http://127.0.0.1:{port}"}, clock=clock))
        await came.wait()
        await clock.advance(ANSWER)
        report = await visit

    assert (
        f"wrong prometheus: http://127.0.0.1:{port}/-/ready: no answer within 5 s: see whether it runs" in report.text
    )


async def test_marks_are_coloured():
    said: list[str] = []
    await run({"exporter": f"http://127.0.0.1:{closed_port()}"}, None, SystemClock(), said.append)

    assert said[0].startswith(click.style("wrong", fg="red") + " exporter: ")


def test_the_command_explains_itself_and_its_page_names_every_option():
    options = set(re.findall(r"--[a-z-]+", cli("doctor", "--help").stdout)) - {"--help"}
    page = Path("docs/doctor.md").read_text()

    assert {option for option in options if option not in page} == set()


def test_the_command_says_what_is_wrong_and_exits_1():
    port = closed_port()
    options = ["--prometheus", "", "--alertmanager", "", "--no-grafana"]
    result = run_process("doctor", "--exporter", f"http://127.0.0.1:{port}/", *options)

    assert result.stdout == (
        f"wrong exporter: http://127.0.0.1:{port}/metrics: 127.0.0.1:{port}: Connection refused: see whether it runs "
        "and what its log says, or say where it is with --exporter\n"
        f"0 ok, 1 wrong, {len(CHECKS) - 1} not looked at\n"
    )
    assert (result.stderr, result.returncode) == ("", 1)


@pytest.mark.parametrize("name", ["password", "token"])
async def test_the_command_reads_the_login_from_a_file(tmp_path, name):
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    nowhere = [option for other in SERVERS[:3] for option in (f"--{other}", "")]
    async with grafana("http://127.0.0.1:9") as it:
        it.token = PASSWORD
        command = ("doctor", *nowhere, "--grafana", it.url, f"--grafana-{name}-file", str(tmp_path / "secret"))
        result = await asyncio.to_thread(run_process, *command)

    assert "ok    grafana: lets us in\n" in result.stdout
    assert PASSWORD not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--grafana-password-file", "/none"], "grafana: password: the file /none cannot be read: No such file or dir"),
        (["--grafana-token-file", "/none"], "grafana: token: the file /none cannot be read: No such file or directory"),
        (["--grafana-token-file", "/a", "--grafana-password-file", "/b"], "or --grafana-token-file, not both"),
        (["--prometheus", "localhost:9090"], "Invalid value for '--prometheus': expected a URL"),
        (["--grafana", "http://u:planted@h/"], "credentials do not belong in a URL"),
        ([f"--{name}=" for name in SERVERS], "expected the URL of at least one server"),
    ],
)
def test_a_bad_option_is_told_with_exit_2(options, told):
    result = cli("doctor", *options)

    assert result.exit_code == 2
    assert told in result.stderr
    assert "planted" not in result.output


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("15s", 15), ("1m30s", 90), ("4w2d", 2592000), ("1y", 31536000), ("500ms", 0.5), ("", None), ("15", None),
     ("1GB", None), ("15s ", None), ("-1s", None), ("$__interval", None)],
)  # fmt: skip
def test_durations_are_prometheus_own(text, wanted):
    assert seconds(text) == wanted


def test_names_are_listed_up_to_five():
    assert some("cab") == "a, b, c"
    assert some("gfedcba") == "a, b, c, d, e and 2 more"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\n\tc", "a [31mb c"),
        ("see http://u:p@h:1/x?y=z, or postgresql://u:p/q@h", "see http://***@h:1/x?*** or postgresql://***@h"),
        ("x" * 500, "x" * 400 + " ..."),
    ],
)
def test_a_server_s_text_is_made_plain(text, shown):
    assert plain(text) == shown
    assert good(text).text == shown
