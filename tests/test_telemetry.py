"""Logs and crash reports: one line per event, and no secret in either."""

import asyncio
import gzip
import json
import os
import pty
import subprocess
import sys

import pytest
import sentry_sdk
import structlog
from aiohttp import web

from exporter.telemetry import CrashReports, configure_logs
from tests.support.cli import environment
from tests.support.servers import http_server

pytestmark = pytest.mark.fast
SECRET = "planted-secret"


def redact(text: str) -> str:
    return text.replace(SECRET, "***")


def fail() -> None:
    raise ValueError(f"cannot use {SECRET}")


def crash() -> None:
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception(
            "job.crashed", detail=f"with {SECRET}", facts=[SECRET, {"deep": SECRET}], number=1
        )


@pytest.mark.parametrize("style", ["json", "console"])
def test_secrets_are_hidden_everywhere_in_an_event_even_in_its_traceback(capsys, style):
    configure_logs("info", style, redact)

    crash()

    text = capsys.readouterr().err
    assert SECRET not in text
    assert "cannot use ***" in text
    assert "with ***" in text


def test_json_has_one_line_per_event_with_time_level_and_facts(capsys):
    configure_logs("info", "auto", redact)

    structlog.get_logger().debug("hidden")
    structlog.get_logger().warning("probe.failed", probe="db", reason="connect")

    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "probe.failed", "level": "warning", "probe": "db", "reason": "connect"}


def test_a_terminal_gets_colours_and_no_json():
    ours, theirs = pty.openpty()
    setup = "import structlog; from exporter.telemetry import configure_logs; configure_logs('info', 'auto', str)"
    code = f"{setup}; structlog.get_logger().info('hello')"

    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True)

    os.close(theirs)
    text = os.read(ours, 4096).decode()
    os.close(ours)
    assert "\x1b[" in text
    assert "hello" in text
    assert "{" not in text


async def test_a_crash_reaches_sentry_without_secrets_locals_or_bodies():
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def envelope(request):
        body = await request.read()
        await arrived.put(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return web.json_response({"id": "1"})

    async with http_server(envelope) as port:
        reports = CrashReports.to(f"http://key@127.0.0.1:{port}/1", "staging", "1.2.3", redact)
        configure_logs("info", "json", redact, reports)
        crash()
        structlog.get_logger().error("no crash")
        await asyncio.to_thread(sentry_sdk.flush, 5)
        async with asyncio.timeout(5):
            text = (await arrived.get()).decode()
        sentry_sdk.get_client().close()

    assert "cannot use ***" in text
    assert SECRET not in text
    assert '"vars"' not in text
    assert '"environment":"staging"' in text
    assert arrived.empty()


def test_without_the_extra_a_word_in_the_log_takes_the_place_of_crash_reports(tmp_path):
    (tmp_path / "sentry_sdk.py").write_text("raise ImportError('not installed')")
    code = "from exporter.telemetry import CrashReports; print(CrashReports.to('http://k@127.0.0.1/1', 'e', 'r', str))"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(PYTHONPATH=f"{tmp_path}:.")
    )

    assert "sentry.missing" in done.stdout + done.stderr
    assert "None" in done.stdout


async def test_a_running_exporter_reports_its_own_crashes(exporter):
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def envelope(request):
        await arrived.put(await request.read())
        return web.json_response({"id": "1"})

    async with http_server(envelope) as port:
        async with exporter("sentry: {dsn: {env: DSN}}", DSN=f"http://key@127.0.0.1:{port}/1") as it:
            crash()
            async with asyncio.timeout(5):
                body = await arrived.get()
        sentry_sdk.get_client().close()

    assert body
    assert it.app.settings.environment == "production"
