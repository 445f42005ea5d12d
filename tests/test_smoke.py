"""The smoke test against a stand-in for Alertmanager that misbehaves as it is told to; e2e/ has the real one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from exporter.clock import SystemClock
from exporter.errors import ExporterError
from exporter.smoke.run import run as smoke
from exporter.tools.http import ANSWER
from tests.support.cli import run, run_process
from tests.support.servers import http_server

pytestmark = pytest.mark.fast

BELOW = "/below"
CONFIG = """
receivers:
- name: critical
  slack_configs: [{}, {}]
  email_configs: [{}]
- name: other
  webhook_configs: [{}]
- name: none
"""


class Standin:
    """Serves below a path, as Alertmanager can; each answer can be replaced. After a post the counters rise."""

    def __init__(self) -> None:
        self.url = ""
        self.posted: list[dict[str, Any]] = []
        self.rises: dict[str, int] = {}
        self.listed: Any = [{"receivers": [{"name": "critical"}], "status": {"silencedBy": [], "inhibitedBy": []}}]
        self.status: Any = {"config": {"original": CONFIG}}
        self.instead: dict[tuple[str, str], Callable[[], Awaitable[web.StreamResponse]]] = {}

    def metrics(self) -> str:
        counters = {
            f'alertmanager_{what}_total{{integration="{kind}"}}': 7
            for what in ("notification_requests", "notification_requests_failed", "notifications_failed")
            for kind in ("slack", "email", "webhook")
        }
        rises = self.rises if self.posted else {}
        lines = [f"{series} {number + rises.get(series, 0)}" for series, number in counters.items()]
        return "# HELP alertmanager_alerts x\nalertmanager_alerts 1\n" + "\n".join(lines) + "\n"

    def rise(self, what: str, kind: str, by: int = 1) -> None:
        self.rises[f'alertmanager_{what}_total{{integration="{kind}"}}'] = by

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.path.startswith(BELOW)
        path = request.path.removeprefix(BELOW)
        if instead := self.instead.get((request.method, path)):
            return await instead()
        if path == "/metrics":
            return web.Response(text=self.metrics())
        if path == "/api/v2/status":
            return web.json_response(self.status)
        if request.method == "POST":
            self.posted += await request.json()
            return web.Response()
        assert request.query.getall("filter")[0] == 'alertname="SmokeTest"'
        return web.json_response(self.listed)


@asynccontextmanager
async def standin():
    it = Standin()
    async with http_server(it.answer) as port:
        it.url = f"http://127.0.0.1:{port}{BELOW}"
        yield it


def always(**answer: Any) -> Callable[[], Awaitable[web.StreamResponse]]:
    async def make() -> web.StreamResponse:
        return web.Response(**answer)

    return make


async def outcome(it: Standin, deadline: float = 0.1) -> tuple[bool | None, list[str], str]:
    """Whether it succeeded, what it said, and the error it ended with."""
    said: list[str] = []
    try:
        return await smoke(it.url, deadline, "staging", SystemClock(), said.append), said, ""
    except ExporterError as error:
        return None, said, str(error).removeprefix(it.url)


async def error_of(it: Standin) -> str:
    return (await outcome(it))[2]


async def test_every_message_that_the_receiver_sends_is_waited_for():
    async with standin() as it:
        it.rise("notification_requests", "slack", 2)
        it.rise("notification_requests", "email")

        good, said, _ = await outcome(it)

    assert good
    assert said == [
        f"{it.url}: SmokeTest goes to critical: waiting for email, slack",
        "email: delivered after 0 s",
        "slack: delivered after 0 s",
    ]


async def test_the_alert_says_that_it_is_a_test_and_is_resolved_in_the_end():
    async with standin() as it:
        await outcome(it)
        await outcome(it)

    first, resolved, again, _ = it.posted
    assert first["labels"] == {
        "alertname": "SmokeTest", "severity": "critical", "environment": "staging",
        "instance": first["labels"]["instance"],
    }  # fmt: skip
    assert first["annotations"]["summary"] == "Test of the alert chain: nothing is broken."
    assert {"description", "value"} == first["annotations"].keys() - {"summary"}
    assert resolved["labels"] == first["labels"]
    assert first["startsAt"] == resolved["startsAt"] < resolved["endsAt"] < first["endsAt"]
    assert again["labels"] != first["labels"]


async def test_one_message_of_two_and_one_that_was_given_up_are_not_enough():
    async with standin() as it:
        it.rise("notification_requests", "slack", 1)
        it.rise("notification_requests", "email", 1)
        it.rise("notification_requests_failed", "email", 1)
        it.rise("notifications_failed", "email", 1)

        good, said, _ = await outcome(it)

    assert good is False
    assert said[1:] == [
        "email: failed after 0 s: look at Alertmanager's log",
        "slack: not delivered within 0.1 s: nothing was sent yet",
    ]


async def test_attempts_that_fail_are_told_when_the_deadline_has_passed():
    async with standin() as it:
        it.rise("notification_requests", "slack", 3)
        it.rise("notification_requests_failed", "slack", 3)
        it.rise("notification_requests", "email")

        good, said, _ = await outcome(it)

    assert good is False
    assert said[2] == "slack: not delivered within 0.1 s: 3 attempts have failed, look at Alertmanager's log"


async def test_it_looks_again_until_the_deadline():
    async with standin() as it:
        looks = 0

        async def slowly():
            nonlocal looks
            looks += 1
            if looks == 3:
                it.rise("notification_requests", "slack", 2)
                it.rise("notification_requests", "email")
            return web.Response(text=it.metrics())

        it.instead["GET", "/metrics"] = slowly

        good, *_ = await outcome(it, deadline=60)

    assert good
    assert looks == 3


@pytest.mark.parametrize(("by", "how"), [("silencedBy", "silenced"), ("inhibitedBy", "inhibited by another alert")])
async def test_an_alert_that_nobody_will_hear_of_is_told_at_once(by, how):
    async with standin() as it:
        it.listed[0]["status"][by] = ["1"]

        assert await error_of(it) == f": the test alert is {how}: no message will leave"


async def test_a_receiver_that_sends_nothing_is_told():
    async with standin() as it:
        it.listed[0]["receivers"] = [{"name": "none"}]

        assert await error_of(it) == ": the test alert is routed to none, which sends nothing"


async def test_all_of_several_receivers_are_waited_for():
    async with standin() as it:
        it.listed[0]["receivers"] += [{"name": "other"}]

        _, said, _ = await outcome(it)

    assert said[0].endswith("SmokeTest goes to critical, other: waiting for email, slack, webhook")


async def test_an_alert_that_is_not_listed_is_told():
    async with standin() as it:
        it.listed = []

        assert await error_of(it) == ": Alertmanager took the test alert and does not list it"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/metrics"), ("POST", "/api/v2/alerts"), ("GET", "/api/v2/alerts"), ("GET", "/api/v2/status")],
)
async def test_an_answer_that_is_none_is_told_and_a_redirect_is_not_followed(method, path):
    async with standin() as it:
        it.instead[method, path] = always(status=500)
        failed = await error_of(it)
        it.instead[method, path] = always(status=302, headers={"Location": it.url})
        redirected = await error_of(it)

    assert failed == f"{path}: the answer's status is 500"
    assert redirected == f"{path}: the answer's status is 302"


@pytest.mark.parametrize("path", ["/metrics", "/api/v2/alerts", "/api/v2/status"])
async def test_another_server_s_answer_is_told(path):
    async with standin() as it:
        it.instead["GET", path] = always(text="<html>Please log in</html>")

        assert await error_of(it) == f"{path}: this is not how Alertmanager answers"


@pytest.mark.parametrize("original", ["{", "receivers: 1", "[]", "receivers: [critical]"])
async def test_a_configuration_that_is_none_is_told(original):
    async with standin() as it:
        it.status = {"config": {"original": original}}

        assert await error_of(it) == "/api/v2/status: this is not how Alertmanager answers"


async def test_an_alert_that_cannot_be_resolved_is_told_after_the_rest():
    async with standin() as it:

        async def once():
            it.instead["POST", "/api/v2/alerts"] = always(status=503)
            return web.Response()

        it.instead["POST", "/api/v2/alerts"] = once

        good, said, _ = await outcome(it)

    assert good is False
    assert said[-1] == (
        f"SmokeTest is not resolved, and ends by itself: {it.url}/api/v2/alerts: the answer's status is 503"
    )


async def test_an_alertmanager_that_hangs_is_told_after_five_seconds(clock):
    asked, over = asyncio.Event(), asyncio.Event()

    async def hang():
        asked.set()
        await over.wait()
        return web.Response()

    async with standin() as it:
        it.instead["GET", "/metrics"] = hang
        test = asyncio.create_task(smoke(it.url, 60, "staging", clock, print))
        await asked.wait()

        await clock.advance(ANSWER)

        with pytest.raises(ExporterError, match=r"/metrics: no answer within 5 s$"):
            await test
        over.set()


async def test_what_is_interrupted_is_resolved_too():
    async with standin() as it:
        listed = asyncio.Event()

        async def ask():
            listed.set()
            return web.json_response(it.status)

        it.instead["GET", "/api/v2/status"] = ask
        test = asyncio.create_task(smoke(it.url, 60, "staging", SystemClock(), lambda _: None))
        await listed.wait()

        test.cancel()

        with pytest.raises(asyncio.CancelledError):
            await test
        assert len(it.posted) == 2


def test_nobody_there_is_one_line_and_exit_1(unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}"

    result = run_process("smoke", "--alertmanager", f"{url}/")

    assert result.stderr == f"{url}/metrics: 127.0.0.1:{unused_tcp_port}: Connection refused\n"
    assert (result.stdout, result.returncode) == ("", 1)


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:9093", "ftp://127.0.0.1", "http://", "http://u:p@h/", "http://h/?a=b", "http://h/#a", "http://h/ x"],
)
def test_what_is_no_url_is_told(url):
    result = run("smoke", "--alertmanager", url)

    assert result.exit_code == 2
    assert "Invalid value for '--alertmanager'" in result.stderr
    assert "Traceback" not in result.output
