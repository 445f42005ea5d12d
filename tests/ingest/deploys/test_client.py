"""`chatterfy-exporter deploy`, which tells a running exporter."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web
from click.testing import Result

from exporter.telemetry import configure_logs
from tests.ingest.deploys.standins import ALL, HANGS, TOKEN
from tests.support.cli import run
from tests.support.servers import closed_port, http_server


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Keeps the exporter's log out of what the command prints: here they are one process."""
    configure_logs("error", "json", str)


async def command(*arguments: str, url: str, token: str | None = TOKEN) -> Result:
    """Runs the command in a thread, for its own event loop."""
    environ = {"DEPLOYS_TOKEN": token, "DEPLOYS_URL": url}
    return await asyncio.to_thread(run, "deploy", "--version", "1.4.2", *arguments, environ=environ)


async def answered(handler: Callable[[], web.Response], *arguments: str) -> Result:
    """What the command makes of such an answer."""

    async def answer(_: web.Request) -> web.Response:
        return handler()

    async with http_server(answer) as port:
        return await command(*arguments, url=f"http://127.0.0.1:{port}")


async def test_it_prints_each_outcome(deploys, neighbours, tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    async with deploys("slack", "grafana") as it:
        result = await command("--environment", "staging", "--token-file", str(path), url=it.url, token=None)

    assert (result.exit_code, result.stdout) == (0, "slack: sent\ngrafana: sent\nsentry: off\n")
    assert neighbours.slack.came[0]["text"] == "🚀 Chatterfy deployed to staging successfully"


async def test_a_failure_is_told_with_what_is_known_of_it(deploys, neighbours):
    async with deploys("slack") as it:
        result = await command(
            *("--failed", "x" * 501, "--rollback", "done", "--app", "API", "--link", "https://ci.example.com/1"),
            url=it.url,
        )

    assert result.exit_code == 0
    (notice,) = neighbours.slack.came
    assert notice["text"] == "❌ API deployment to production failed"
    assert [field["value"] for field in notice["attachments"][0]["fields"]][2:] == [
        "x" * 499 + "…", "done", "https://ci.example.com/1",
    ]  # fmt: skip


async def test_a_failure_needs_no_reason(deploys, neighbours):
    async with deploys("slack") as it:
        await command("--failed", "", url=it.url)

    assert neighbours.slack.came[0]["attachments"][0]["color"] == "danger"


async def test_one_that_was_not_told_is_exit_code_1(deploys, neighbours):
    neighbours.sentry.plan = [(400, {})]
    async with deploys(*ALL) as it:
        result = await command(url=it.url)

    assert (result.exit_code, result.stdout) == (
        1, "slack: sent\ngrafana: sent\nsentry: failed: status: Sentry's status is 400\n",
    )  # fmt: skip


async def test_an_exporter_that_is_slow_or_dead_is_exit_code_1(deploys, neighbours):
    neighbours.slack.plan = [(HANGS, {})]
    url = f"http://127.0.0.1:{closed_port()}"
    async with deploys("slack", timeout="1s") as it:
        slow = await command("--deadline", "300ms", url=it.url)
    dead = await command(url=url)

    assert (slow.exit_code, slow.stderr) == (1, f"{it.url}: no answer within 0.3 s\n")
    assert (dead.exit_code, dead.stderr.partition(" (")[0]) == (1, f"{url}: no answer")


@pytest.mark.parametrize(
    ("option", "told"), [("a b", "version: expected 1 to 100 letters, "), ("1", "expected the header")]
)
async def test_what_the_exporter_does_not_take_is_exit_code_2(deploys, option, told):
    async with deploys() as it:
        result = await command("--version", option, url=it.url, token=TOKEN if option == "a b" else "planted")

    assert result.exit_code == 2
    assert result.stderr.startswith(f"{it.url}: {told}")
    assert "planted" not in result.stderr


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda: web.Response(status=404), "the deploy was not taken: status 404: is there a section ingest.deploys?"),
        (lambda: web.Response(status=502, text="<html>"), "the deploy was not taken: status 502"),
        (lambda: web.Response(text="[" * 10_000), "the deploy was not taken: status 200"),
        (lambda: web.json_response(["sent"]), "the deploy was not taken: status 200"),
        (lambda: web.Response(text="x" * 20_000), "no answer (body: the answer's body is longer than 16384 bytes)"),
    ],
)
async def test_what_is_no_exporter_is_exit_code_1(answer, told):
    result = await answered(answer)

    assert result.exit_code == 1
    assert result.stderr.endswith(f": {told}\n")


async def test_a_token_that_comes_back_is_not_shown():
    result = await answered(lambda: web.json_response({"slack": f"sent {TOKEN}\x1b[2J\nmore"}))

    assert (result.exit_code, result.stdout) == (0, "slack: sent ***[2J\n")


@pytest.mark.fast
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff", "cannot be read: not UTF-8 text"),
        (b" \n", "expected the token of the exporter's section ingest.deploys"),
        (b"a\nplanted", "expected the token of the exporter's section ingest.deploys"),
        ("plantedé".encode(), "expected the token of the exporter's section ingest.deploys"),
    ],
)
def test_a_token_that_cannot_be_used_is_exit_code_2(tmp_path, content, told):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)

    result = run("deploy", "--version", "1", "--token-file", str(path))

    assert (result.exit_code, result.stderr) == (2, f"--token-file {path}: {told}\n")


@pytest.mark.fast
def test_without_a_token_it_says_where_it_looks_for_one():
    result = run("deploy", "--version", "1", environ={"DEPLOYS_TOKEN": None})

    assert result.exit_code == 2
    assert result.stderr.startswith("DEPLOYS_TOKEN, or --token-file: expected the token")
