"""The runbooks' commands, run as they stand against real neighbours: nothing but addresses is changed."""

import asyncio
import json
import os
import re
import shlex
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.alertmanager import alertmanager, amtool
from tests.support.programs import UNPACKED
from tests.support.prometheus import prometheus
from tests.support.runbooks import RUNBOOKS, blocks, silence

ROOT = Path(__file__).parents[2]
OURS = {"curl", "amtool", "promtool", "psql"}
"""What the neighbours answer to. Other commands look at the machine, or at a host that is the reader's own."""
CONFIG = """alerts: {{token: {{env: TOKEN}}}}
probes:
  db: {{kind: postgres, url: {{env: DB}}}}
  api: {{kind: tcp, host: 127.0.0.1, port: {port}}}
  stripe: {{kind: stripe, key: {{env: TOKEN}}, api: "http://127.0.0.1:{port}"}}
  s3: {{kind: s3, bucket: it, region: us-east-1, endpoint: "http://127.0.0.1:{port}", access_key: {{env: TOKEN}},
        secret_key: {{env: TOKEN}}}}"""


@asynccontextmanager
async def quiet_alertmanager(folder):
    folder.mkdir()
    settings = {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}
    async with alertmanager(folder, settings) as it:
        yield it


async def test_the_first_checks_work(exporter, postgres, tmp_path, unused_tcp_port):
    commands = [block for block in blocks("sh") if block.code.split()[0] in OURS and "silence" not in block.code]
    async with (
        exporter(CONFIG.format(port=unused_tcp_port), DB=postgres.url(), TOKEN="sk_test_it") as it,
        quiet_alertmanager(tmp_path / "alertmanager") as notified,
        prometheus(tmp_path, it.url.removeprefix("http://")) as scraped,
    ):
        await it.until(lambda _: it.app.probes.ready)
        await scraped.until("chatterfy_probe_success")
        addresses = {":9877": it.url, ":9090": scraped.url, ":9093": notified.url}
        environ = os.environ | {"DATABASE_URL": postgres.url(query="?schema=public")}
        failed = {
            (block.alert, block.code): told
            for block in commands
            if (told := await complaint(moved(block.code, addresses), environ))
        }
        for block in blocks("promql"):
            await scraped.query(block.code)  # fails where there is an error in place of a result

    assert len(commands) > 30
    assert failed == {}


async def test_every_silence_is_taken(tmp_path):
    async with quiet_alertmanager(tmp_path / "alertmanager") as it:
        commands = [moved(shlex.join(silence(alert)), {":9093": it.url}) for alert in RUNBOOKS]
        told = [await complaint(command, dict(os.environ)) for command in commands]
        taken = await asyncio.to_thread(amtool, "silence", "query", f"--alertmanager.url={it.url}", "--output=json")

    assert [complaint for complaint in told if complaint] == []
    matchers = [matcher for it in json.loads(taken) for matcher in it["matchers"]]
    assert sorted(it["value"] for it in matchers if it["name"] == "alertname") == sorted(RUNBOOKS)


def moved(command, addresses):
    """The command with the addresses of these neighbours."""
    for port, url in addresses.items():
        command = re.sub(rf"http://127\.0\.0\.1{port}\b", url, command)
    return command


async def complaint(command, environ):
    """What a shell in the repository's folder says when the command, or any part of a pipe, fails."""
    path = f"{environ['PATH']}:{UNPACKED}"
    process = await asyncio.create_subprocess_exec(
        "bash", "-o", "pipefail", "-c", command, cwd=ROOT, env=environ | {"PATH": path},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return err.decode() or out.decode() if process.returncode else ""
