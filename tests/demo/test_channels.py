"""The stand-ins for Slack, a mailbox and Sentry: what they take, how they fail when told to, and their pages."""

import asyncio
import gzip
import json
import smtplib
import ssl
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiohttp
import pytest

from exporter.clock import SystemClock
from exporter.demo.channels import Channels
from exporter.demo.slack import Trouble
from exporter.sentry import Dsn, send
from tests.support.chromium import browser

MESSAGE = {
    "username": "Alertmanager",
    "attachments": [
        {
            "pretext": "🚨 CRITICAL: db is down",
            "color": "danger",
            "text": "No run has succeeded.\n<http://127.0.0.1:9/runbooks/X|Runbook>",
            "fields": [
                {"title": "Type", "value": "CriticalProbeDown", "short": True},
                {"title": "Query", "value": "a &lt; b", "short": False},
            ],
        }
    ],
}


@pytest.fixture
async def channels(server_tls) -> AsyncIterator[Channels]:
    channels = Channels(SystemClock(), server_tls)
    await channels.start()
    try:
        yield channels
    finally:
        await channels.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def post(http, channels, message) -> tuple[int, str]:
    async with http.post(channels.webhook, json=message) as response:
        return response.status, await response.text()


async def page(http: aiohttp.ClientSession, channels: Channels, path: str = "/") -> str:
    async with http.get(channels.site.url + path) as response:
        assert response.status == 200
        return await response.text()


async def test_slack_takes_a_message_and_shows_it(channels, http):
    answer = await post(http, channels, MESSAGE)
    shown = await page(http, channels)

    assert answer == (200, "ok")
    assert "🚨 CRITICAL: db is down" in shown
    assert '<a href="http://127.0.0.1:9/runbooks/X" rel="noreferrer">Runbook</a>' in shown
    assert "<dt>Type</dt><dd>CriticalProbeDown</dd>" in shown
    assert '<div class="long"><dt>Query</dt><dd>a &lt; b</dd></div>' in shown
    assert "border-color: #e01e5a" in shown


async def test_the_newest_message_is_first_on_the_page_and_in_json(channels, http):
    for text in ("first", "second"):
        await post(http, channels, {"text": text, "attachments": [{"color": "#123abc", "title": "old", "text": ""}]})
    shown = await page(http, channels)
    async with http.get(f"{channels.site.url}/messages") as response:
        messages = await response.json()

    assert shown.index("second") < shown.index("first")
    assert "border-color: #123abc" in shown
    assert [message["text"] for message in messages] == ["second", "first"]
    assert messages[0]["at"] >= messages[1]["at"]


async def test_what_a_message_says_cannot_break_the_page(channels, http):
    evil = '"><script>alert(1)</script>'
    fields = [{"title": evil, "value": evil, "short": True}]
    attachment = {"pretext": evil, "color": "red;background:url(x)", "title": evil, "text": evil, "fields": fields}
    await post(http, channels, {"username": evil, "text": evil, "attachments": [attachment]})

    shown = await page(http, channels)

    assert "<script" not in shown
    assert "background:url" not in shown


async def test_an_empty_channel_says_how_long_to_wait(channels, http):
    for path in ("/", "/mail", "/sentry"):
        assert "Nothing has come yet." in await page(http, channels, path)


@pytest.mark.parametrize("body", ["not json", "[]", "[1]", "7"])
async def test_slack_refuses_what_is_no_message(channels, http, body):
    async with http.post(channels.webhook, data=body, headers={"Content-Type": "application/json"}) as response:
        assert (response.status, await response.text()) == (400, "invalid_payload")

    assert not channels.slack.messages


async def test_slack_is_busy_once_for_what_it_was_told_of(channels, http):
    channels.slack.fail_next(Trouble.BUSY, "db is down")

    other = await post(http, channels, {"text": "web is down"})
    async with http.post(channels.webhook, json=MESSAGE) as refused:
        told = refused.status, await refused.text(), refused.headers["Retry-After"]
    again = await post(http, channels, MESSAGE)

    assert other[0] == 200
    assert told == (429, "rate_limited", "30")
    assert again[0] == 200
    assert len(channels.slack.messages) == 2
    assert len(channels.slack.turned_away) == 1


async def test_slack_hangs_once_until_it_is_taken_down(channels, http):
    channels.slack.fail_next(Trouble.HANGS, "db is down")
    hanging = asyncio.create_task(post(http, channels, MESSAGE))
    async with asyncio.timeout(10):
        while not channels.slack.turned_away:
            await asyncio.sleep(0.01)

    again = await post(http, channels, MESSAGE)
    await channels.stop()

    assert again[0] == 200
    with pytest.raises(aiohttp.ClientError):
        await hanging


async def test_a_dashboard_leads_to_prometheus_once_it_runs(channels, http):
    async with http.get(f"{channels.site.url}/d/chatterfy-api", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/")

    channels.dashboards = "http://127.0.0.1:9/graph"

    async with http.get(f"{channels.site.url}/d/chatterfy-api", allow_redirects=False) as response:
        assert response.headers["Location"] == "http://127.0.0.1:9/graph"


def mail(channels, ca_file, message: EmailMessage) -> None:
    with smtplib.SMTP("localhost", channels.mailbox.port) as client:
        client.starttls(context=ssl.create_default_context(cafile=ca_file))
        client.login("alerts@example.com", "password")
        client.send_message(message)


def written(*bodies: tuple[str, str]) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "🚨 CRITICAL: <b>db</b> is down"
    message["From"], message["To"] = "Chatterfy alerts <alerts@example.com>", "oncall@example.com"
    (text, kind), *others = bodies
    message.set_content(text, subtype=kind)
    for text, kind in others:
        message.add_alternative(text, subtype=kind)
    return message


async def test_a_mail_comes_over_tls_and_is_shown(channels, ca_file, http):
    message = written(("No run <has> succeeded.", "plain"), ("<p>No run &lt;has&gt; succeeded.</p>", "html"))
    await asyncio.to_thread(mail, channels, ca_file, message)
    shown = await page(http, channels, "/mail")

    (mail_,) = channels.mailbox.mails
    assert mail_.login == "alerts@example.com"
    assert mail_.recipients == ("oncall@example.com",)
    assert mail_.message["Subject"] == "🚨 CRITICAL: <b>db</b> is down"
    assert mail_.body("plain") == "No run <has> succeeded.\n"
    assert "<h2>🚨 CRITICAL: &lt;b&gt;db&lt;/b&gt; is down</h2>" in shown
    assert "No run &lt;has&gt; succeeded." in shown
    assert "&lt;p&gt;No run &amp;lt;has&amp;gt; succeeded.&lt;/p&gt;" in shown


async def test_a_mail_may_lack_html_and_its_sender_a_login(channels):
    def anonymous() -> None:
        with smtplib.SMTP("localhost", channels.mailbox.port) as client:
            client.send_message(written(("text", "plain")))

    await asyncio.to_thread(anonymous)

    (mail_,) = channels.mailbox.mails
    assert (mail_.body("html"), mail_.login) == ("", "")


async def test_a_client_that_stays_does_not_keep_the_mailbox_open(channels):
    reader, writer = await asyncio.open_connection("localhost", channels.mailbox.port)
    greeting = await reader.readline()

    await channels.stop()

    assert greeting.startswith(b"220 localhost")
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(OSError, match=r"Connect call failed|refused"):
        await asyncio.open_connection("localhost", channels.mailbox.port)


EVENT = {"event_id": "0" * 32, "level": "error", "environment": "demo", "tags": {"probe": "<db>"}}


async def test_sentry_takes_what_the_exporter_sends_and_shows_it(channels, http):
    await send(http, Dsn.parse(channels.dsn), EVENT | {"message": "db is down"}, 0.0)
    shown = await page(http, channels, "/sentry")

    assert [event.payload["message"] for event in channels.sentry.events] == ["db is down"]
    assert "<h2>db is down</h2>" in shown
    assert "error, demo," in shown
    assert "<dt>probe</dt><dd>&lt;db&gt;</dd>" in shown


@pytest.mark.parametrize(
    ("payload", "title"),
    [
        ({"logentry": {"message": "%s is down", "formatted": "db is down"}}, "db is down"),
        ({"logentry": {"message": "down"}}, "down"),
        ({"exception": {"values": []}}, "an error"),
    ],
)
async def test_sentry_takes_events_of_any_sdk_among_other_items(channels, http, payload, title):
    event = json.dumps(payload).encode()
    counted = b'{"type":"session","length":4}\n\n\n{}\n'
    envelope = b'{"event_id":"1"}\n' + counted + b'{"type":"event"}\n' + event
    url = f"{channels.site.url}/api/1/envelope/"

    for body, headers in ((envelope + b"\n", {}), (gzip.compress(envelope), {"Content-Encoding": "gzip"})):
        async with http.post(url, data=body, headers=headers) as response:
            assert response.status == 200

    assert [event.title for event in channels.sentry.events] == [title, title]
    assert title in await page(http, channels, "/sentry")


async def test_sentry_refuses_what_is_no_envelope(channels, http):
    async with http.post(f"{channels.site.url}/api/1/envelope/", data=b"{}\nnonsense") as response:
        assert response.status == 400

    assert not channels.sentry.events


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_browser_shows_the_message_without_scrolling_sideways(channels, http, tmp_path, width):
    await post(http, channels, MESSAGE)
    async with browser(tmp_path) as tab:
        await tab.look(width, 900)
        await tab.open(f"{channels.site.url}/")
        title, wide, words, link = await tab.evaluate(
            "[document.title, document.documentElement.scrollWidth, document.body.innerText,"
            " document.querySelector('article a').href]"
        )
        await tab.screenshot(tmp_path / "slack.png")

    assert title == "Slack · demo"
    assert wide <= width
    assert "db is down" in words
    assert link == "http://127.0.0.1:9/runbooks/X"
