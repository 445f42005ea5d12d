"""The ingest listener as the exporter runs it: apart from the operator's, and in step with the configuration."""

import asyncio
import json
import shutil

import pytest

from exporter.errors import ExporterError
from tests.support.listening import Peer, request
from tests.support.running import Running, running, value
from tests.support.servers import closed_port, hang, raw_server

pytestmark = pytest.mark.fast

APP, OTHER = "https://app.example.com", "https://other.example.com"
HEAD = "listen: 127.0.0.1:0\n"
SUCCESSFUL = "chatterfy_config_last_reload_successful"
NOWHERE_TO_STORE = "there is nowhere to store"
BEACON = b'{"name": "LCP", "value": 1200}'


def ingest(port: int, origin: str = APP, more: str = "") -> str:
    return f"{HEAD}ingest: {{listen: '127.0.0.1:{port}', beacon: {{origins: ['{origin}']}}{more}}}\n"


async def connect(port: int) -> Peer:
    return Peer(*await asyncio.open_connection("127.0.0.1", port))


async def post(port: int, origin: str = APP, path: str = "/v1/beacon", body: bytes = BEACON) -> int:
    """The status; 0 where nothing listens."""
    try:
        peer = await connect(port)
    except ConnectionRefusedError:
        return 0
    answer = await peer.ask("POST", path, body=body, Origin=origin)
    peer.writer.transport.abort()
    return answer.status


def port_of(it: Running) -> int:
    return int(it.app.ingest_url.rpartition(":")[2])


async def test_what_strangers_reach_and_what_the_operator_reaches_never_meet(config):
    async with running(config(ingest(0)), {}) as it:
        port = port_of(it)
        statuses = [await post(port, path=path) for path in ("/metrics", "/-/reload", "/v1/alerts", "/health", "/")]
        operator = [(await it.post("/v1/beacon"))[0], (await it.get("/chatterfy.js"))[0]]
        taken = await post(port)
        page = await it.until('chatterfy_ingest_rejected_total{endpoint="none",reason="path"} 5.0')

    assert statuses == [404] * 5
    assert operator == [404, 404]
    assert taken == 204
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="beacon",reason="origin"}') == 0


@pytest.mark.parametrize("text", ["", "ingest: {listen: '127.0.0.1:0'}"])
async def test_without_an_endpoint_nothing_listens(config, text):
    async with running(config(HEAD + text), {}) as it:
        assert it.app.ingest_url == ""


async def test_an_address_that_is_taken_at_the_start_is_told(config):
    async with raw_server(hang) as port:
        with pytest.raises(ExporterError, match=rf"^ingest.listen: 127.0.0.1:{port} cannot be had: Address already"):
            async with running(config(ingest(port)), {}):
                pass


async def test_endpoints_that_cannot_be_made_at_the_start_are_told_and_nothing_listens(config):
    port = closed_port()
    with pytest.raises(ExporterError, match=NOWHERE_TO_STORE):
        async with running(config(ingest(port, more=", requests: {}")), {}):
            pass

    assert await post(port) == 0


async def test_a_reload_loses_no_request_under_way_and_refuses_no_connection(config):
    port = closed_port()
    async with running(config(ingest(port)), {}) as it:
        peer = await connect(port)
        await peer.send(request("POST", "/v1/beacon", Origin=APP, Content_Length=str(len(BEACON))) + BEACON[:5])
        assert await post(port) == 204
        config(ingest(port, OTHER))
        reload = asyncio.create_task(it.post("/-/reload"))
        meanwhile = []
        while not reload.done():
            meanwhile.append(asyncio.create_task(post(port, OTHER)))
            await peer.send(BEACON[5:]) if len(meanwhile) == 1 else None
            await asyncio.sleep(0.05)
        answer, status = await peer.answer(), (await reload)[0]
        came = set(await asyncio.gather(*meanwhile))
        after = [await post(port, OTHER), await post(port)]
        peer.writer.transport.abort()

    assert (answer.status, status) == (204, 200)
    assert came <= {204, 403}
    assert after == [204, 403]


async def test_an_unchanged_section_is_left_alone(config):
    async with running(config(ingest(0)), {}) as it:
        url, peer = it.app.ingest_url, await connect(port_of(it))
        config(f"{ingest(0)}log: {{level: warning}}\n")
        await it.post("/-/reload")
        answer = await peer.ask("POST", "/v1/beacon", body=BEACON, Origin=APP)
        peer.writer.transport.abort()

        assert (it.app.ingest_url, answer.status) == (url, 204)


async def test_a_new_address_that_is_taken_leaves_the_old_one_served_until_it_is_free(config, capsys):
    old = closed_port()
    async with running(config(ingest(old)), {}) as it:
        async with raw_server(hang) as new:
            config(ingest(new, OTHER))
            status, told = await it.post("/-/reload")
            await it.until(f"{SUCCESSFUL} 0.0")
            served = await post(old)
        again, _ = await it.post("/-/reload")
        await it.until(f"{SUCCESSFUL} 1.0")
        after = [await post(old), await post(new, OTHER)]

    reason = f"ingest.listen: 127.0.0.1:{new} cannot be had: Address already in use"
    wanted = f"{reason} (http://127.0.0.1:{old} is served as before)"
    assert (status, told) == (422, f"{wanted}\n")
    assert (served, again, after) == (204, 200, [0, 204])
    assert [line["problem"] for line in logged(capsys) if line["event"] == "ingest.refused"] == [wanted]


@pytest.mark.parametrize("moves", [False, True])
async def test_endpoints_that_cannot_be_made_leave_the_old_ones_served(config, moves):
    old = closed_port()
    new = closed_port() if moves else old
    async with running(config(ingest(old)), {}) as it:
        config(ingest(new, OTHER, more=", requests: {}"))
        status, told = await it.post("/-/reload")
        served = await post(old)
        moved = await post(new, OTHER)
        await it.until(f"{SUCCESSFUL} 0.0")
        config(ingest(new, OTHER))
        again, _ = await it.post("/-/reload")
        after = await post(new, OTHER)

    assert status == 422
    assert NOWHERE_TO_STORE in told
    assert told.endswith(f" (http://127.0.0.1:{old} is served as before)\n")
    assert (served, moved) == (204, 0 if moves else 403)
    assert (again, after) == (200, 204)


async def test_where_the_old_endpoints_cannot_be_made_again_nothing_listens(config, tmp_path):
    folder, environ = tmp_path / "spool", {"URL": f"postgresql://u:p@127.0.0.1:{closed_port()}/app"}
    folder.mkdir()
    keeping = ", url: {env: URL}, spool: {path: spool/spool.sqlite}, events: {}"
    event = json.dumps({"event": "user_signup", "data": {"userId": "u", "source": "ads"}}).encode()
    port = closed_port()
    async with running(config(ingest(port, more=keeping)), environ) as it:
        peer = await connect(port)
        kept = await peer.ask("POST", "/v1/events", body=event)
        peer.writer.transport.abort()
        shutil.rmtree(folder)
        clash = ", sentry: {tunnel: /v1/beacon, projects: {api: {dsn: {env: DSN}, forward: false}}}"
        environ["DSN"] = "http://key@127.0.0.1/42"
        config(ingest(port, more=clash))
        status, told = await it.post("/-/reload")
        gone = await post(port)
        url = it.app.ingest_url

    assert kept.status == 202
    assert (status, told) == (422, "ingest: beacon and sentry_tunnel are both at /v1/beacon\n")
    assert (gone, url) == (0, "")


async def test_what_is_no_longer_configured_is_gone_from_the_socket_and_the_page(config):
    port = closed_port()
    async with running(config(ingest(port)), {}) as it:
        await it.until('chatterfy_ingest_rejected_total{endpoint="beacon",reason="origin"} 0.0')
        config(HEAD)
        await it.post("/-/reload")
        page = await it.until(lambda page: 'endpoint="beacon"' not in page)
        gone = await post(port)

    assert value(page, SUCCESSFUL) == 1
    assert (gone, it.app.ingest_url) == (0, "")


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]
