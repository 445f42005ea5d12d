"""The whole exporter while its neighbours fail: at once, one beside the other, and without a word of what is secret."""

import asyncio
import subprocess
import sys
import threading

import aiohttp
import psutil
from aiohttp import web

from tests.support.cli import environment
from tests.support.running import value
from tests.support.servers import closed_port, hang, http_server, raw_server

SECRETS = {"KEY": "sk_planted_key", "S3": "planted_s3_secret", "TOKEN": "planted_token", "BODY": "planted_body"}
CONFIG = """
probes:
  db: {{kind: postgres, url: {{env: DB}}, interval: 1s, timeout: 600ms}}
  stripe: {{kind: stripe, key: {{env: KEY}}, api: "http://127.0.0.1:{stripe}", interval: 1s, timeout: 600ms}}
  s3:
    kind: s3
    bucket: b
    region: r
    endpoint: "http://127.0.0.1:{s3}"
    access_key: {{env: S3}}
    secret_key: {{env: S3}}
    interval: 1s
    timeout: 600ms
  web:
    kind: http
    url: "http://127.0.0.1:{web}/"
    headers: {{Authorization: {{env: TOKEN}}}}
    body: {{env: BODY}}
    interval: 1s
    timeout: 600ms
"""
UP = 'chatterfy_probe_success{kind="postgres",probe="db"} 1.0'
SLOTS = 'chatterfy_postgres_connections_max{kind="postgres",probe="db"}'


async def echo(request):
    """Sends back all that it was sent, as a careless server does in its error page."""
    return web.Response(status=500, text=f"{dict(request.headers)} {await request.text()}")


async def test_a_frozen_database_fails_in_time_and_alone_and_nothing_shows_a_secret(exporter, postgres, capsys):
    await postgres.execute("DROP ROLE IF EXISTS watcher; CREATE ROLE watcher LOGIN PASSWORD 'planted_password'")
    ports = {}
    async with http_server(echo) as ports["web"], http_server(echo) as ports["stripe"], raw_server(hang) as ports["s3"]:
        url = postgres.url("watcher", "planted_password", "?schema=public&connection_limit=5")
        async with exporter(CONFIG.format(**ports), DB=url, **SECRETS) as it:
            before = await it.until(lambda page: it.app.probes.ready and UP in page)
            postgres.freeze()
            began = asyncio.get_running_loop().time()
            during = await it.until('chatterfy_probe_failures_total{kind="postgres",probe="db",reason="timeout"} 1.0')
            took = asyncio.get_running_loop().time() - began
            pages = [await it.get(path) for path in ("/", "/health", "/ready", "/admin/health/db", "/admin/health/web")]
            pages += [await it.get(f"/probes/{name}{form}") for name in it.app.probes for form in ("", ".json")]
            postgres.thaw()
            after = await it.until(UP)
            threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("s3:")]

    runs = 'chatterfy_probe_runs_total{kind="http",probe="web"}'
    assert took < 1 + 0.6 + 0.5 + 8  # interval, timeout, the page's own refresh, and a busy machine
    assert value(during, 'chatterfy_probe_success{kind="postgres",probe="db"}') == 0
    assert value(during, SLOTS) == value(before, SLOTS) is not None
    assert value(before, runs) < value(after, runs)
    assert value(after, 'chatterfy_probe_failures_total{kind="http",probe="web",reason="status"}') == value(after, runs)
    assert value(after, 'chatterfy_probe_success{kind="s3",probe="s3"}') == 0
    assert value(after, 'chatterfy_probe_success{kind="stripe",probe="stripe"}') == 0
    assert len(threads) <= 1
    shown = "".join([before, during, after, *(body for _, body in pages), capsys.readouterr().err])
    assert "probe.failed" in shown
    assert "planted" not in shown


async def test_it_needs_no_disk_and_leaves_no_process_behind(config):
    """A process that may not make any file grow has, for all that it can see, a full disk."""
    port = closed_port()
    path = config(f"listen: 127.0.0.1:{port}\nprobes: {{it: {{kind: tcp, host: 127.0.0.1, port: {port}}}}}")
    limit = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    code = f"{limit}; runpy.run_module('exporter', run_name='__main__')"
    unmeasured = {name: value for name, value in environment().items() if not name.startswith("COV")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "serve", "--config", str(path), env=unmeasured, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(20), aiohttp.ClientSession() as session:
            page = ""
            while 'chatterfy_probe_success{kind="tcp",probe="it"} 1.0' not in page:
                try:
                    async with session.get(f"http://127.0.0.1:{port}/metrics") as response:
                        page = await response.text()
                except aiohttp.ClientConnectionError:
                    pass  # it is still starting
                await asyncio.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.terminate()
        _, log = await process.communicate()

    assert children == []
    assert process.returncode == 0
    assert b"error" not in log
