"""Everything through pgbouncer in transaction mode, as many installations have it."""

import asyncpg

from tests.support.audit import INSERT_MESSAGE, audited_database
from tests.support.pgbouncer import pgbouncer
from tests.support.running import running, value


async def test_the_probe_and_every_query_work_through_pgbouncer(config, postgres_cluster):
    async with audited_database(postgres_cluster) as url, pgbouncer(postgres_cluster, {"postgres": "super"}) as port:
        connection = await asyncpg.connect(url)
        await connection.execute(INSERT_MESSAGE, "one", "openai", 3, 3600.0)
        await connection.close()
        through = url.replace(f":{postgres_cluster.port}/", f":{port}/") + "?pgbouncer=true&connection_limit=1"
        path = config(
            "listen: 127.0.0.1:0\ndatabase: {url: {env: DB}}\nprobes: {db: {kind: postgres, url: {env: DB}}}\n"
            "queries: {every: {users: 1s, messages: 1s}}\n"
        )
        async with running(path, {"DB": through}) as it:
            await it.until(lambda page: page.count('chatterfy_job_last_success_timestamp_seconds{task="') >= 17)
            again = await it.until(lambda page: (value(page, 'chatterfy_job_runs_total{task="messages"}') or 0) >= 3)

    assert value(again, 'chatterfy_probe_success{kind="postgres",probe="db"}') == 1
    assert value(again, 'chatterfy_messages_total{model="m",provider="openai"}') == 1
    failures = [line for line in again.splitlines() if line.startswith("chatterfy_job_failures_total")]
    assert [line for line in failures if not line.endswith(" 0.0")] == []
