"""Reading the configuration again while the exporter runs."""

from tests.support.running import running, value
from tests.support.servers import hang, raw_server

HEAD = "listen: 127.0.0.1:0\n"


def up(name: str) -> str:
    return f'chatterfy_probe_success{{kind="tcp",probe="{name}"}} 1.0'


async def test_probes_are_added_changed_and_removed_and_others_are_left_alone(config):
    async with raw_server(hang) as port:
        probe = f"kind: tcp, host: 127.0.0.1, port: {port}"
        path = config(f"{HEAD}probes: {{kept: {{{probe}}}, gone: {{{probe}}}, changed: {{{probe}, interval: 10s}}}}")
        async with running(path, {}) as it:
            await it.until(lambda page: up("kept") in page and up("gone") in page and up("changed") in page)
            config(f"{HEAD}probes: {{kept: {{{probe}}}, changed: {{{probe}, interval: 20s}}, new: {{{probe}}}}}")
            kept = it.app.probes["kept"]

            status, body = await it.post("/-/reload")

            page = await it.until(lambda page: up("new") in page and 'probe="gone"' not in page)

    assert (status, body) == (200, "reloaded\n")
    assert value(page, "chatterfy_config_last_reload_successful") == 1
    assert it.app.probes["kept"] is kept
    assert set(it.app.probes) == {"kept", "changed", "new"}
    assert value(page, 'chatterfy_probe_runs_total{kind="tcp",probe="changed"}') >= 1


async def test_a_bad_file_changes_nothing_and_says_so_in_answer_log_and_metric(config, capsys):
    async with raw_server(hang) as port:
        path = config(f"{HEAD}probes: {{kept: {{kind: tcp, host: 127.0.0.1, port: {port}}}}}")
        async with running(path, {}) as it:
            accepted = value(await it.until(up("kept")), "chatterfy_config_last_reload_success_timestamp_seconds")
            config(f"{HEAD}probes: {{kept: {{kind: tcp, hosst: 127.0.0.1, port: {port}}}}}")

            status, body = await it.post("/-/reload")

            page = await it.until("chatterfy_config_last_reload_successful 0.0")
            log = capsys.readouterr().err

    assert status == 422
    assert f"{path}:2: probes.kept: unknown key 'hosst' (did you mean 'host'?)" in body
    assert '"event": "config.refused"' in log
    assert "did you mean" in log
    assert up("kept") in page
    assert value(page, "chatterfy_config_last_reload_success_timestamp_seconds") == accepted


async def test_what_takes_a_restart_is_said(config, capsys):
    path = config(HEAD)
    async with running(path, {}) as it:
        config("listen: 127.0.0.1:1\nlog: {level: error}\n")
        await it.post("/-/reload")

        status, _ = await it.post("/-/reload")

    log = capsys.readouterr().err
    assert status == 200
    assert log.count('"event": "config.unchanged"') == 1
    assert "config.reloaded" not in log


async def test_the_environments_name_changes_with_the_file(config):
    async with running(config(f"{HEAD}environment: staging"), {}) as it:
        config(f"{HEAD}environment: production")

        await it.post("/-/reload")

        assert "Chatterfy production" in (await it.get("/"))[1]


async def test_an_unchanged_probe_keeps_what_it_holds_between_runs(config):
    text = HEAD + "probes: {web: {kind: http, url: 'http://127.0.0.1:1/', headers: {A: {env: SECRET}}}}"
    async with running(config(text), {"SECRET": "x"}) as it:
        await it.until(lambda _: it.app.probes.ready)
        before = it.app.probes["web"]

        await it.post("/-/reload")

    assert it.app.probes["web"] is before
