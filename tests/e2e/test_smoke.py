"""The whole way of an alert behind Prometheus: a real Alertmanager, to Slack, by e-mail, and to Sentry."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.support.alertmanager import Alertmanager, alertmanager
from tests.support.cli import run_process
from tests.support.running import Running, value
from tests.support.sentry import Sentry, sentry
from tests.support.servers import http_server
from tests.support.smtp import Mailbox, mailbox

TOKEN = "alerts-token"
LAST_SEEN = "chatterfy_alert_pipeline_last_seen_timestamp_seconds"


async def ok(_: web.Request) -> web.StreamResponse:
    """What Slack's webhooks answer: newer Alertmanagers read it."""
    return web.Response(text="ok")


class World:
    """An Alertmanager with three receivers of what is critical, and what came to each."""

    def __init__(self) -> None:
        self.slack: list[dict[str, Any]] = []
        self.slack_answer = ok
        self.mail: Mailbox
        self.sentry: Sentry
        self.exporter: Running
        self.alertmanager: Alertmanager

    async def take_slack(self, request: web.Request) -> web.StreamResponse:
        self.slack.append(await request.json())
        return await self.slack_answer(request)

    async def smoke(self, deadline: str = "30s") -> tuple[int, list[str], str]:
        """Runs the command; gives exit code, lines and errors."""
        command = ("smoke", "--alertmanager", self.alertmanager.url, "--deadline", deadline, "--environment", "staging")
        done = await asyncio.to_thread(run_process, *command)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def settings(self, folder: Path, slack: int) -> dict[str, Any]:
        (folder / "token").write_text(TOKEN)
        (folder / "smtp_password").write_text("planted-password")
        webhook = {
            "url": f"{self.exporter.url}/v1/alerts",
            "http_config": {"authorization": {"credentials_file": str(folder / "token")}},
        }
        email = {
            "to": "oncall@example.com", "from": "alerts@example.com", "smarthost": f"127.0.0.1:{self.mail.port}",
            "auth_username": "alerts", "auth_password_file": str(folder / "smtp_password"), "require_tls": False,
            "text": "{{ .CommonAnnotations.summary }}", "html": "",
        }  # fmt: skip
        chat = {"api_url": f"http://127.0.0.1:{slack}/hook", "channel": "#alerts", "send_resolved": True}
        return {
            "route": {
                "receiver": "critical", "group_by": ["alertname", "instance"], "group_wait": "100ms",
                "group_interval": "1s", "repeat_interval": "1h",
                "routes": [{"receiver": "heartbeat", "matchers": ['alertname="Watchdog"']}],
            },
            "receivers": [
                {"name": "critical", "slack_configs": [chat], "email_configs": [email], "webhook_configs": [webhook]},
                {"name": "heartbeat", "webhook_configs": [webhook]},
            ],
        }  # fmt: skip


@pytest.fixture
async def world(tmp_path, exporter):
    @asynccontextmanager
    async def start():
        it = World()
        async with (
            mailbox("alerts", "planted-password") as it.mail,
            sentry() as it.sentry,
            exporter(
                "alerts: {token: {env: TOKEN}, sentry: {env: DSN}}", TOKEN=TOKEN, DSN=it.sentry.dsn
            ) as it.exporter,
            http_server(it.take_slack) as slack,
            alertmanager(tmp_path, it.settings(tmp_path, slack)) as it.alertmanager,
        ):
            yield it

    async with start() as it:
        yield it


async def until(happened) -> None:
    async with asyncio.timeout(20):
        while not happened():
            await asyncio.sleep(0.05)


async def test_a_test_alert_reaches_slack_mail_and_sentry_and_is_resolved(world):
    code, lines, errors = await world.smoke()

    assert (code, errors) == (0, ""), lines
    assert lines[0] == f"{world.alertmanager.url}: SmokeTest goes to critical: waiting for email, slack, webhook"
    assert {line.partition(" after ")[0] for line in lines[1:]} == {
        "email: delivered", "slack: delivered", "webhook: delivered"
    }  # fmt: skip
    assert "Test of the alert chain: nothing is broken." in world.mail.messages[0].get_body().get_content()
    assert [event["message"] for event in world.sentry.events] == ["Test of the alert chain: nothing is broken."]
    await until(lambda: any("RESOLVED" in json.dumps(message) for message in world.slack))
    page = await world.exporter.until('chatterfy_alerts_received_total{severity="critical",status="resolved"} 1.0')
    assert value(page, "chatterfy_alerts_sentry_total") == 1


async def test_a_second_test_is_delivered_like_the_first(world):
    await world.smoke()

    code, *_ = await world.smoke()

    assert code == 0
    assert len(world.sentry.events) == 2
    assert len({event["event_id"] for event in world.sentry.events}) == 2
    assert len({tuple(event["fingerprint"]) for event in world.sentry.events}) == 1


async def test_an_integration_that_is_refused_has_failed(world):
    async def refuse(_request):
        return web.Response(status=404)

    world.slack_answer = refuse

    code, lines, _ = await world.smoke()

    assert code == 1
    assert any(line.startswith("slack: failed after ") for line in lines)
    assert any(line.startswith("webhook: delivered after ") for line in lines)


async def test_a_message_that_hangs_is_not_taken_for_a_delivered_one(world):
    over = asyncio.Event()

    async def hang(_request):
        await over.wait()
        return web.Response()

    world.slack_answer = hang

    code, lines, _ = await world.smoke("3s")

    over.set()
    assert code == 1
    assert lines[-1] == "slack: not delivered within 3 s: nothing was sent yet"


async def test_a_silenced_alert_is_told(world):
    silence = {
        "matchers": [{"name": "alertname", "value": "SmokeTest", "isRegex": False, "isEqual": True}],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z", "createdBy": "test", "comment": "test",
    }  # fmt: skip
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{world.alertmanager.url}/api/v2/silences", json=silence) as response,
    ):
        assert response.status == 200

    code, lines, errors = await world.smoke()

    assert (code, lines) == (1, [])
    assert errors == f"{world.alertmanager.url}: the test alert is silenced: no message will leave\n"


async def test_alertmanager_tries_again_until_sentry_has_the_message(world):
    refusals = 2

    async def at_last(_request):
        return web.Response(status=503 if len(world.sentry.envelopes) <= refusals else 200)

    world.sentry.answer = at_last

    await world.alertmanager.post({"alertname": "CriticalProbeDown", "severity": "critical", "probe": "db"})

    page = await world.exporter.until("chatterfy_alerts_sentry_total 1.0")
    assert value(page, 'chatterfy_alerts_sentry_failures_total{reason="status"}') == refusals
    assert {event["tags"]["probe"] for event in world.sentry.events} == {"db"}
    assert len({event["event_id"] for event in world.sentry.events}) == 1


async def test_alertmanagers_watchdog_keeps_the_heartbeat_fresh(world):
    before = value(await world.exporter.page(), LAST_SEEN)

    await world.alertmanager.post({"alertname": "Watchdog", "severity": "none"})

    await world.exporter.until(lambda page: value(page, LAST_SEEN) > before)
    assert world.sentry.events == []
