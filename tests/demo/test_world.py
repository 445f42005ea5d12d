"""The world: what it offers, how each outage breaks and mends it, and that it leaves nothing behind."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import asyncpg
import boto3
import psutil
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from exporter.clock import SystemClock
from exporter.demo.outages import Outage
from exporter.demo.world import World
from exporter.settings import load
from exporter.tools import tls_context

LOCALSTRIPE_FILE = Path("/tmp/localstripe.pickle")
"""Where localstripe would keep its data by itself, whatever the temporary folder is."""

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def outage(world: World, what: Outage):
    await world.break_(what)
    try:
        yield
    finally:
        await world.mend(what)


async def status(http: aiohttp.ClientSession, url: str, **options) -> int:
    async with http.get(url, **options) as response:
        return response.status


async def test_progress_was_told_from_nothing_to_all(world, told):
    texts, fractions = zip(*told, strict=True)

    assert texts[0] == "starting PostgreSQL, Stripe, S3, the web site and the API"
    assert "writing history: messages" in texts
    assert texts[-1] == "ready"
    assert list(fractions) == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)


async def test_the_configuration_is_accepted_and_holds_no_secret(world):
    file = world.folder / "checked.yml"
    file.write_text(world.config)

    settings = load(file, world.environment)

    assert {probe.kind for probe in settings.probes.values()} >= {"http", "postgres", "stripe", "s3", "tcp", "tls"}
    assert not any(secret in world.config for secret in world.environment.values())


async def test_the_configuration_listens_on_the_port_that_was_asked_for():
    world = World(SystemClock(), port=9999)
    await world.close()

    assert yaml.safe_load(world.config)["listen"] == "127.0.0.1:9999"


async def test_the_exporter_needs_its_password_and_can_only_read(world):
    connection = await asyncpg.connect(world.database.url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute('DELETE FROM "User"')
    await connection.close()

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(world.database.url, password="wrong")


@pytest.mark.parametrize("path", ["/", "/api/health"])
async def test_the_web_answers(world, http, path):
    assert await status(http, world.sites.web.url + path) == 200


async def test_the_web_and_the_api_answer_over_tls_to_who_trusts_their_authority(world, http):
    trusting = tls_context(world.folder / "ca.pem", verify=True)

    assert await status(http, f"{world.sites.web.tls_url}/", ssl=trusting) == 200
    assert await status(http, f"{world.sites.api.tls_url}/health", ssl=trusting) == 200
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await http.get(world.sites.web.tls_url)


@pytest.mark.parametrize("path", ["/health", "/admin/health/db", "/admin/health/stripe", "/admin/health/s3"])
async def test_the_api_is_healthy(world, http, path):
    assert await status(http, world.sites.api.url + path) == 200


async def test_the_chat_wants_a_key(world, http):
    chat = f"{world.sites.api.url}/v1/chat/completions"

    async with http.post(chat) as refused, http.post(chat, headers={"Authorization": "Bearer key"}) as answered:
        assert refused.status == 401
        assert (await answered.json())["choices"]


async def test_stripe_knows_the_account_of_a_secret_key(world, http):
    account = f"{world.sites.stripe.url}/v1/account"
    key = {"Authorization": f"Bearer {world.environment['DEMO_STRIPE_KEY']}"}

    async with http.get(account, headers=key) as response:
        assert (await response.json())["id"] == "acct_demo"
    assert await status(http, account) == 401


async def test_stripe_keeps_customers_in_memory_only(world, http):
    customers = f"{world.sites.stripe.url}/v1/customers"
    key = {"Authorization": f"Bearer {world.environment['DEMO_STRIPE_KEY']}"}

    async with http.post(customers, headers=key, data={"email": "user1@example.com"}) as response:
        assert response.status == 200
    assert not LOCALSTRIPE_FILE.exists()


def s3_client(world: World):
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=world.sites.s3.url,
        aws_access_key_id=world.environment["DEMO_S3_ACCESS_KEY"],
        aws_secret_access_key=world.environment["DEMO_S3_SECRET_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


async def test_s3_keeps_objects_in_the_demos_bucket(world):
    def round_trip() -> bytes:
        client = s3_client(world)
        client.head_bucket(Bucket="demo")
        client.put_object(Bucket="demo", Key="a folder/key", Body=b"content")
        assert client.head_object(Bucket="demo", Key="a folder/key")["ContentLength"] == 7
        content: bytes = client.get_object(Bucket="demo", Key="a folder/key")["Body"].read()
        client.delete_object(Bucket="demo", Key="a folder/key")
        client.close()
        return content

    assert await asyncio.to_thread(round_trip) == b"content"


async def test_a_database_outage_breaks_connections_and_keeps_the_rows(world, http):
    users = await world.database.pool.fetchval('SELECT count(*) FROM "User"')

    async with outage(world, Outage.DATABASE):
        with pytest.raises(OSError):  # noqa: PT011  (refused, or no socket: as the system has it)
            await asyncpg.connect(world.database.url)
        assert await status(http, f"{world.sites.api.url}/admin/health/db") == 503

    assert await world.database.pool.fetchval('SELECT count(*) FROM "User"') >= users
    assert await status(http, f"{world.sites.api.url}/admin/health/db") == 200


async def test_a_database_that_hangs_takes_connections_and_answers_when_it_is_mended(world, http):
    async with outage(world, Outage.HANG):
        connecting = asyncio.create_task(asyncpg.connect(world.database.url))
        assert await status(http, f"{world.sites.api.url}/admin/health/db") == 503
        assert not connecting.done()

    connection = await connecting
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


@pytest.mark.parametrize("what", ["api", "stripe", "s3"])
async def test_a_site_that_is_out_refuses_connections_and_comes_back_where_it_was(world, http, what):
    url = getattr(world.sites, what).url

    async with outage(world, Outage(what)):
        with pytest.raises(aiohttp.ClientConnectorError):
            await status(http, f"{url}/health")

    assert await status(http, f"{url}/health") in {200, 401, 404}


async def test_s3_has_its_bucket_again_after_an_outage(world):
    client = s3_client(world)
    async with outage(world, Outage.S3):
        with pytest.raises(EndpointConnectionError):
            await asyncio.to_thread(client.head_bucket, Bucket="demo")

    await asyncio.to_thread(client.head_bucket, Bucket="demo")
    client.close()


async def test_the_api_is_slower_than_a_probe_waits_in_an_outage_of_slowness(world, http):
    url = f"{world.sites.api.url}/health"

    async with outage(world, Outage.SLOW):
        with pytest.raises(TimeoutError):
            await status(http, url, timeout=aiohttp.ClientTimeout(total=2))

    assert await status(http, url) == 200


async def test_some_answers_of_the_api_fail_in_an_outage_of_errors(world, http):
    url = f"{world.sites.api.url}/health"

    async with outage(world, Outage.ERRORS):
        answers = [await status(http, url) for _ in range(100)]

    assert 5 <= answers.count(500) <= 40
    assert answers.count(200) + answers.count(500) == 100
    assert await status(http, url) == 200


async def test_churn_cancels_more_than_five_subscriptions_at_once(world):
    cancelled = """SELECT count(*) FROM "Subscription" WHERE status = 'canceled'"""
    before = await world.database.pool.fetchval(cancelled)

    async with outage(world, Outage.CHURN):
        assert await world.database.pool.fetchval(cancelled) - before > 5


@pytest.mark.parametrize("moment", ["starting PostgreSQL", "writing history: messages"])
async def test_a_world_that_has_only_begun_to_start_closes(moment):
    world = World(SystemClock())
    reached = asyncio.Event()

    def progress(text: str, _: float) -> None:
        if text.startswith(moment):
            reached.set()

    starting = asyncio.create_task(world.start(progress))
    await reached.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    await closes_without_a_trace(world)


async def closes_without_a_trace(world: World) -> None:
    async with asyncio.timeout(30):
        await world.close()

    assert not world.folder.exists()
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(world.folder) in " ".join(process.info["cmdline"] or [])
    ]
