import asyncio
import os
import signal

import psutil
import pytest

from tests.scripts.conftest import SCRIPTS, Pipeline
from tests.support.servers import hang, raw_server


async def test_it_passes_when_the_api_the_web_and_the_database_are_healthy(pipeline: Pipeline):
    ended = await pipeline.run("health-check.sh")

    assert ended.code == 0
    assert "✅ All health checks passed" in ended.output
    assert sorted(pipeline.api.asked) == ["/admin/health/db", "/health"]
    assert pipeline.web.asked == ["/api/health"]


async def test_it_names_everything_that_is_down_and_why(pipeline: Pipeline, unused_tcp_port: int):
    pipeline.web.plan("/api/health", 503)
    api = f"http://127.0.0.1:{unused_tcp_port}"

    ended = await pipeline.run("health-check.sh", API_URL=f"{api}/", DEADLINE="1s")

    assert ended.code == 1
    complaints = [line for line in ended.output.splitlines() if line.startswith("❌")]
    assert len(complaints) == 3
    assert complaints[0].startswith(f"❌ API health check failed: {api}/health: no answer (connect: ")
    assert complaints[1] == f"❌ Frontend health check failed: {pipeline.environ['APP_URL']}/api/health: status 503"
    assert complaints[2].startswith(f"❌ Database health check failed: {api}/admin/health/db: no answer (connect: ")


async def test_a_slow_start_is_waited_for_and_a_ready_one_is_not(pipeline: Pipeline):
    pipeline.api.plan("/health", 503, 200)

    ended = await pipeline.run("health-check.sh")

    assert ended.code == 0
    assert sorted(pipeline.api.asked) == ["/admin/health/db", "/health", "/health"]
    assert pipeline.web.asked == ["/api/health"]


async def test_an_api_that_never_answers_is_down_by_the_deadline(pipeline: Pipeline):
    async with raw_server(hang) as port:
        ended = await pipeline.run("health-check.sh", API_URL=f"http://127.0.0.1:{port}", DEADLINE="1s")

    assert ended.code == 1
    assert f"❌ API health check failed: http://127.0.0.1:{port}/health: no answer in time" in ended.output


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({"APP_URL": None}, "APP_URL is not set: set it to an address such as https://yourdomain.com"),
        ({"API_URL": ""}, "API_URL is not set: set it to an address such as https://api.yourdomain.com"),
        ({"API_URL": "api.example"}, "API_URL is not an address such as https://api.yourdomain.com"),
        (
            {"API_URL": "https://:planted@api"},
            "API_URL has a user or password in it: it would show in logs, leave it out",
        ),
        ({"DEADLINE": "2 minutes"}, "DEADLINE is not a duration such as 90s or 5m"),
    ],
)
async def test_what_is_wrong_with_the_environment_is_said_in_one_line(pipeline: Pipeline, environ, complaint: str):
    ended = await pipeline.run("health-check.sh", **environ)

    assert (ended.code, ended.output) == (2, f"❌ {complaint}\n")


async def test_an_exporter_that_cannot_be_run_is_not_taken_for_health(pipeline: Pipeline):
    ended = await pipeline.run("health-check.sh", EXPORTER="/nowhere/chatterfy-exporter")

    assert ended.code == 1
    assert "/nowhere/chatterfy-exporter: No such file" in ended.output
    assert ended.output.count("chatterfy-exporter health did not run, see above") == 3


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_stopping_it_leaves_nothing_running(pipeline: Pipeline, signum: int, code: int):
    pipeline.api.plan("/health", 503)
    process = await asyncio.create_subprocess_exec(
        SCRIPTS / "health-check.sh",
        env={**pipeline.environ, "DEADLINE": "60s"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    await process.stdout.readline()
    children = psutil.Process(process.pid).children(recursive=True)

    os.kill(process.pid, signum)

    async with asyncio.timeout(30):
        assert await process.wait() == code
    _, alive = psutil.wait_procs(children, timeout=30)
    assert [it for it in alive if it.is_running() and it.status() != psutil.STATUS_ZOMBIE] == []
