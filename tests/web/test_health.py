"""The health endpoints of a running exporter."""

import json

from aiohttp import web

from tests.support.servers import closed_port, hang, http_server, raw_server

QUICK = "interval: 1s, timeout: 500ms"


async def fine(_request):
    return web.Response()


async def ready(it):
    await it.until(lambda _: it.app.probes.ready)


async def test_health_has_the_apps_own_shape(exporter):
    async with http_server(fine) as port:
        text = f"""probes:
          web: {{kind: http, url: "http://127.0.0.1:{port}/"}}
          db: {{kind: postgres, url: {{env: DB}}, critical: false}}
          stripe: {{kind: stripe, key: {{env: KEY}}, api: "http://127.0.0.1:{port}"}}"""
        async with exporter(text, DB=f"postgresql://a:planted@127.0.0.1:{closed_port()}/a", KEY="sk_planted") as it:
            await ready(it)
            status, body = await it.get("/health")

    health = json.loads(body)
    assert status == 200
    assert health["status"] == "healthy"
    assert health["timestamp"].endswith("Z")
    assert health["checks"].pop("memory").keys() == {"usage", "limit"}
    assert health["checks"] == {"database": "unhealthy", "stripe": "unhealthy"}
    assert health["probes"]["web"]["status"] == "healthy"
    assert health["probes"]["db"]["reason"] == "connect"
    assert health["probes"]["stripe"]["reason"] == "body"
    assert "planted" not in body


async def test_only_a_critical_probe_makes_the_system_unhealthy(exporter, unused_tcp_port):
    text = f"probes: {{port: {{kind: tcp, host: 127.0.0.1, port: {unused_tcp_port}, critical: %s}}}}"
    answers = []
    for critical in ("false", "true"):
        async with exporter(text % critical) as it:
            await ready(it)
            status, body = await it.get("/health")
            answers.append((status, json.loads(body)["status"]))

    assert answers == [(200, "healthy"), (503, "unhealthy")]


async def test_a_postgres_probe_is_critical_unless_told_otherwise(exporter, unused_tcp_port):
    async with exporter(
        "probes: {db: {kind: postgres, url: {env: DB}}}", DB=f"postgresql://a:b@127.0.0.1:{unused_tcp_port}/a"
    ) as it:
        await ready(it)
        status, _ = await it.get("/health")

    assert status == 503


async def test_ready_waits_for_the_first_result_of_every_probe(exporter):
    async with raw_server(hang) as port:
        text = f"""probes:
          hung: {{kind: http, url: "http://127.0.0.1:{port}/", interval: 60s, timeout: 50s}}
          quick: {{kind: tcp, host: 127.0.0.1, port: {port}}}"""
        async with exporter(text) as it:
            await it.until('chatterfy_probe_success{kind="tcp",probe="quick"} 1.0')
            waiting = await it.get("/ready")
            unknown = await it.get("/admin/health/hung")
    async with exporter("") as it:
        empty = await it.get("/ready")

    assert (waiting[0], json.loads(waiting[1])) == (503, {"ready": False, "waiting_for": ["hung"]})
    assert (unknown[0], json.loads(unknown[1])["status"]) == (503, "unknown")
    assert empty[0] == 200


async def test_admin_health_answers_for_the_worst_of_a_kind_or_for_one_probe(exporter, unused_tcp_port):
    async with http_server(fine) as port:
        s3 = "kind: s3, bucket: b, region: r, access_key: {env: K}, secret_key: {env: K}"
        text = f"""probes:
          main: {{{s3}, endpoint: "http://127.0.0.1:{port}"}}
          backup: {{{s3}, endpoint: "http://127.0.0.1:{unused_tcp_port}"}}
          port: {{kind: tcp, host: 127.0.0.1, port: {port}}}"""
        async with exporter(text, K="planted") as it:
            await ready(it)
            worst, one, other, tcp, missing, none = [
                await it.get(f"/admin/health/{name}") for name in ("s3", "main", "backup", "port", "nothing", "db")
            ]

    assert (worst[0], json.loads(worst[1])["status"]) == (503, "unhealthy")
    assert set(json.loads(worst[1])["probes"]) == {"main", "backup"}
    assert (one[0], other[0], tcp[0], missing[0], none[0]) == (200, 503, 200, 404, 404)
    assert json.loads(missing[1]) == {"error": "no probe named 'nothing'", "probes": ["backup", "main", "port"]}
