"""The commands, as a user calls them."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import jsonschema
import pytest
import yaml
from aiohttp import web

import exporter.app  # noqa: F401  (declares every metric)
from exporter.metrics.catalogue import CATALOGUE
from exporter.probes.base import KINDS
from tests.support.cli import environment, run, run_process
from tests.support.servers import closed_port, hang, http_server, raw_server

COMMANDS = [
    [],
    ["serve"],
    ["config"],
    ["config", "check"],
    ["probe"],
    ["query"],
    ["grants"],
    ["daily"],
    ["health"],
    ["smoke"],
    ["deploy"],
    ["kinds"],
    ["metrics"],
    ["demo"],
    ["traffic"],
    ["doctor"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command):
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert len(result.stdout.splitlines()) > 4
    assert "..." not in result.stdout.replace("ARGS]...", "").replace("[OPTIONS]...", "")
    assert "\\b" not in result.stdout


def test_the_commands_are_those_that_are_tested_here():
    listed = run("--help").stdout.split("Commands:\n")[1]

    assert sorted(line.split()[0] for line in listed.splitlines()) == sorted({line[0] for line in COMMANDS if line})


def test_health_starts_without_what_the_other_commands_need():
    program = f"import sys; from exporter.cli import main; main({['health', '--help']}, standalone_mode=False); "

    done = subprocess.run(
        [sys.executable, "-c", program + "print(*sys.modules)"], capture_output=True, text=True, check=True
    )

    assert "exporter.cli.commands.health" in done.stdout
    assert not {"exporter.app", "exporter.settings", "asyncpg", "boto3"} & set(done.stdout.split())


def test_config_alone_explains_itself():
    assert run("config").stdout == run("config", "--help").stdout


def test_kinds_lists_every_kind_with_its_options():
    text = run("kinds").stdout

    assert [line.split(":")[0] for line in text.splitlines() if line and line[0] != " "][:7] == sorted(KINDS)
    assert "  url (needed): What to request." in text
    assert "  json: Paths into the answer's JSON" in text
    assert "None" not in text


def test_metrics_lists_the_catalogue():
    lines = run_process("metrics").stdout.splitlines()

    assert len(lines) == len(CATALOGUE)
    assert any(line.startswith("chatterfy_probe_success{probe,kind} (gauge): Whether") for line in lines)


def test_the_schema_accepts_a_good_file_and_refuses_a_bad_one():
    schema = json.loads(run("config", "--schema").stdout)
    good = yaml.safe_load(Path("config.example.yml").read_text())

    jsonschema.validate(good, schema)

    for bad in ({"lisen": "x"}, {"probes": {"a": {"kind": "htp"}}}, {"probes": {"a": {"kind": "tcp", "host": "h"}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)


def test_the_example_configuration_is_good():
    secrets = {
        "DATABASE_URL": "postgresql://a:b@c/d",
        "STRIPE_SECRET_KEY": "x",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "SENTRY_DSN": "http://k@127.0.0.1/1",
        "ALERTS_TOKEN": "x",
        "INGEST_DATABASE_URL": "postgresql://a:b@c/d",
        "EVENTS_TOKEN": "x",
        "DEPLOYS_TOKEN": "x",
    }

    result = run("config", "check", "--config", "config.example.yml", environ=secrets)

    assert result.stdout.startswith("config.example.yml: good: ")


def test_without_a_file_the_environment_says_what_to_watch():
    environ = {
        "DATABASE_URL": "postgresql://a:b@c/d?schema=app", "STRIPE_SECRET_KEY": "sk_x", "S3_BUCKET": "files",
        "APP_URL": "https://app.example.com/", "API_URL": "https://api.example.com", "SENTRY_DSN": "https://k@sentry.example.com/1",
        "NODE_ENV": "staging", "CHATTERFY_CONFIG": None,
    }  # fmt: skip

    good = run("config", "check", environ=environ)
    bad = run("config", "check", environ={**environ, "APP_URL": "app.example.com"})

    assert good.stdout == "environment: good: 7 probes\n"
    assert bad.exit_code == 2
    assert bad.stderr.startswith(
        "environment: probes.web.url: expected a URL such as https://example.com/health, got 'app.example.com/'"
    )


async def test_probe_runs_one_probe_now_and_shows_all_of_it(config):
    async def fine(_request):
        return web.Response()

    async with http_server(fine) as port:
        path = config(f"probes: {{web: {{kind: http, url: 'http://127.0.0.1:{port}/'}}}}")
        result = await asyncio.to_thread(run, "probe", "web", "--config", str(path))

    assert result.exit_code == 0
    assert "request " in result.stdout
    assert "web (http) succeeded\n" in result.stdout
    assert 'chatterfy_probe_success{kind="http",probe="web"} 1.0' in result.stdout


def test_probe_exits_1_with_the_reason_when_it_fails(config, unused_tcp_port):
    path = config(f"probes: {{port: {{kind: tcp, host: 127.0.0.1, port: {unused_tcp_port}}}}}")

    result = run("probe", "port", "--config", str(path))

    assert result.exit_code == 1
    assert "probe.failed" in result.stderr
    assert f"port (tcp) failed: connect: 127.0.0.1:{unused_tcp_port}: Connection refused" in result.stdout


@pytest.mark.parametrize(("name", "told"), [("prot", "(did you mean 'port'?)"), ("xyz", "(there are: port)")])
def test_probe_of_an_unknown_name_exits_2_with_advice(config, name, told):
    path = config("probes: {port: {kind: tcp, host: h, port: 1}}")

    result = run("probe", name, "--config", str(path))

    assert (result.exit_code, result.stderr) == (2, f"no probe named '{name}' {told}\n")


async def health(*arguments):
    return await asyncio.to_thread(run, "health", *arguments)


async def test_health_waits_until_the_endpoint_is_well():
    answers = iter([503, 503, 200])

    async def recover(_request):
        status = next(answers)
        return web.json_response(
            {"probes": {"db": {"status": "unhealthy", "reason": "connect"}, "web": {"status": "healthy"}}},
            status=status,
        )

    async with http_server(recover) as port:
        result = await health("--url", f"http://127.0.0.1:{port}/health", "--deadline", "10s", "--interval", "50ms")

    url = f"http://127.0.0.1:{port}/health"
    assert result.exit_code == 0
    assert result.stdout == f"{url}: status 503: down: db (connect)\n{url}: healthy\n"


@pytest.mark.parametrize("body", ["not json", '["a"]', '{"probes": 5}', "{}"])
async def test_health_gives_up_at_the_deadline_and_says_why(body):
    async def sick(_request):
        return web.Response(
            text=body, status=500, content_type="application/json" if body != "not json" else "text/plain"
        )

    async with http_server(sick) as port:
        result = await health("--url", f"http://127.0.0.1:{port}/", "--deadline", "300ms", "--interval", "100ms")

    url = f"http://127.0.0.1:{port}/"
    assert result.exit_code == 1
    assert result.stdout == f"{url}: status 500\n{url}: not healthy within 0.3 s\n"


async def test_health_tells_a_refusal_a_silence_and_nonsense_apart(unused_tcp_port):
    refused = await health("--url", f"http://127.0.0.1:{unused_tcp_port}/", "--deadline", "100ms")
    async with raw_server(hang) as port:
        silent = await health("--url", f"http://127.0.0.1:{port}/", "--deadline", "300ms")

    async def nonsense(_reader, writer):
        writer.write(b"220 hello\r\n\r\n")
        await writer.drain()

    async with raw_server(nonsense) as port:
        garbled = await health("--url", f"http://127.0.0.1:{port}/", "--deadline", "100ms")

    assert f"no answer (connect: 127.0.0.1:{unused_tcp_port}: Connection refused)" in refused.stdout
    assert "no answer in time" in silent.stdout
    assert "no answer (" in garbled.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["health", "--deadline", "10"], "expected a duration such as 500ms, 10s or 5m, got '10'"),
        (["serve", "--listen", "9877"], "expected an address such as 127.0.0.1:9877, got '9877'"),
        (["serve", "--config", "/no/such.yml"], "/no/such.yml: cannot be read: No such file or directory\n"),
        (["nothing"], "No such command 'nothing'"),
    ],
)
def test_a_wrong_word_on_the_command_line_exits_2_with_what_was_expected(arguments, told):
    result = run(*arguments)

    assert result.exit_code == 2
    assert told in result.stderr


async def test_an_address_in_use_exits_1_with_one_line():
    async with raw_server(hang) as port:
        result = await asyncio.to_thread(run_process, "serve", "--listen", f"127.0.0.1:{port}")

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"listen: 127.0.0.1:{port} cannot be had: Address already in use"
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_serve_starts_when_everything_is_down_reloads_on_sighup_and_stops_within_5_s(
    config, signum, unused_tcp_port
):
    port = closed_port()
    async with raw_server(hang) as hung:
        text = f"""probes:
  web: {{kind: http, url: "http://127.0.0.1:{hung}/", interval: 60s, timeout: 50s}}
  s3:
    {{kind: s3, bucket: b, region: r, endpoint: "http://127.0.0.1:{hung}", access_key: {{env: DB}},
      secret_key: {{env: DB}}, interval: 60s, timeout: 50s}}
  db: {{kind: postgres, url: {{env: DB}}, interval: 60s, timeout: 50s}}"""
        path = config(text)
        environ = environment(DB=f"postgresql://a:planted@127.0.0.1:{hung}/a")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "exporter", "serve", "--config", str(path), "--listen", f"127.0.0.1:{port}",
            stderr=subprocess.PIPE, env=environ,
        )  # fmt: skip
        assert process.stderr is not None
        started = json.loads(await process.stderr.readline())
        config(text + "\n  extra: {kind: tcp, host: 127.0.0.1, port: 1}\n")
        process.send_signal(signal.SIGHUP)
        reloaded = json.loads(await process.stderr.readline())
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as response:
            page = await response.text()

        process.send_signal(signum)
        async with asyncio.timeout(15):
            rest = await process.stderr.read()
            code = await process.wait()

    assert (started["event"], started["url"]) == ("exporter.started", f"http://127.0.0.1:{port}")
    assert (reloaded["event"], reloaded["probes"]) == ("config.reloaded", 4)
    assert "chatterfy_build_info" in page
    assert code == 0
    assert json.loads(rest.splitlines()[-1])["event"] == "exporter.stopped"
    assert b"planted" not in rest
