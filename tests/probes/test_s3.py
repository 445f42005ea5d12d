"""Kind s3, against moto with and without its authorization, and against servers that answer as S3 does on bad days."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from exporter.errors import ConfigError
from exporter.probes.s3 import S3Probe
from exporter.settings import load
from tests.support.running import Once, value
from tests.support.s3 import Moto
from tests.support.servers import answer, closed_port, hang, http_server, raw_server, reset

ACCESS, SECRET = "PLANTEDACCESSKEY", "planted/secret+key"
LABELS = '{kind="s3",probe="it"}'
UP = f"chatterfy_probe_success{LABELS} 1.0"
READ = ("s3:HeadBucket", "s3:ListBucket", "s3:GetObject")
WRITE = ("s3:PutObject", "s3:DeleteObject")

At = Callable[..., Once]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def failed(reason: str) -> str:
    """The line that a page has after one failure for this reason."""
    return f'chatterfy_probe_failures_total{{kind="s3",probe="it",reason="{reason}"}} 1.0'


def permitted(page: str) -> Any:
    return value(page, f"chatterfy_probe_permitted{LABELS}")


def phases(page: str) -> set[str]:
    """The phases that the page shows."""
    names = ("request", "write", "read", "delete")
    return {name for name in names if f'chatterfy_probe_phase_seconds{{kind="s3",phase="{name}"' in page}


def threads() -> list[threading.Thread]:
    """The threads in which a probe's requests are under way."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("s3:")]


def refusal(status: int, code: str, message: str = "no") -> web.Response:
    """An error in the shape of S3's."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return web.Response(status=status, text=body, content_type="application/xml")


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    server = Moto()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    for thread in threads():
        thread.join(timeout=5)
    assert threads() == []


@pytest.fixture
def at(make_probe: Callable[..., Once]) -> At:
    """A probe of a bucket at this address."""

    def make(endpoint: str, more: str = "", *, timeout: str = "5s", keys: tuple[str, str] = (ACCESS, SECRET)) -> Once:
        options = f'kind: s3, endpoint: "{endpoint}", region: us-east-1, timeout: {timeout}, interval: 6s'
        credentials = "access_key: {env: ACCESS}, secret_key: {env: SECRET}"
        bucket = "" if "bucket:" in more else ", bucket: attic"
        return make_probe(f"{options}, {credentials}{bucket}{more}", ACCESS=keys[0], SECRET=keys[1])

    return make


async def against(at: At, handler: Handler, more: str = "") -> tuple[Once, str]:
    """A probe that has run once against a server that answers so, and its page."""
    async with http_server(handler) as port:
        probe = at(f"http://127.0.0.1:{port}", more)
        return probe, await probe.run()


async def always(at: At, response: Callable[[], web.Response], more: str = "") -> tuple[Once, str]:
    async def handler(request: web.Request) -> web.Response:
        return response()

    return await against(at, handler, more)


async def test_a_bucket_that_is_there_is_up_and_permitted_and_stays_as_it_was(at, moto):
    bucket = moto.bucket()
    page = await at(moto.url, f", bucket: {bucket}").run()

    assert UP in page
    assert permitted(page) == 1
    assert phases(page) == {"request"}
    assert moto.keys(bucket) == []


async def test_a_canary_is_written_read_and_deleted(at, moto):
    bucket = moto.bucket()
    moto.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    page = await at(moto.url, f", bucket: {bucket}, canary: true, prefix: watch/").run()

    assert UP in page
    assert permitted(page) == 1
    assert phases(page) == {"request", "write", "read", "delete"}
    assert moto.keys(bucket) == []
    versions = moto.s3.list_object_versions(Bucket=bucket)
    assert [version["Size"] for version in versions["Versions"]] == [32]
    assert [marker["Key"].startswith("watch/canary-") for marker in versions["DeleteMarkers"]] == [True]


async def test_a_bucket_that_is_missing_is_down_until_it_is_there(at, moto):
    probe = at(moto.url, ", bucket: not-yet")
    down = await probe.run()
    moto.s3.create_bucket(Bucket="not-yet")
    up = await probe.run()

    assert failed("status") in down
    assert probe.job.state.results[0].detail == "ListObjectsV2 answered NoSuchBucket"
    assert UP in up


@pytest.mark.parametrize(
    ("allowed", "canary", "detail"),
    [
        ((), False, "ListObjectsV2 is denied"),
        (READ, True, "PutObject is denied"),
        (("s3:HeadBucket", *WRITE), True, "GetObject is denied"),
        (("s3:GetObject", *WRITE), True, "ListObjectsV2 is denied"),
        ((), True, "ListObjectsV2 is denied; PutObject is denied"),
    ],
    ids=["nothing", "read only", "write only", "objects only", "nothing of all"],
)
async def test_what_a_key_may_not_do_is_up_and_not_permitted_and_leaves_no_object(at, moto, allowed, canary, detail):
    bucket, keys = moto.bucket(), moto.user(*allowed)
    with moto.authorization():
        probe = at(moto.url, f", bucket: {bucket}, canary: {str(canary).lower()}", keys=keys)
        page = await probe.run()

    assert UP in page
    assert permitted(page) == 0
    assert probe.detail == detail
    assert moto.keys(bucket) == []


async def test_a_key_that_may_do_it_all_is_up_and_permitted(at, moto):
    bucket, keys = moto.bucket(), moto.user(*READ, *WRITE)
    with moto.authorization():
        page = await at(moto.url, f", bucket: {bucket}, canary: true", keys=keys).run()

    assert permitted(page) == 1


async def test_a_key_that_is_unknown_or_wrong_is_a_matter_of_auth(at, moto):
    bucket, (access, secret) = moto.bucket(), moto.user(*READ)
    with moto.authorization():
        unknown = at(moto.url, f", bucket: {bucket}")
        wrong = at(moto.url, f", bucket: {bucket}", keys=(access, SECRET))
        right = at(moto.url, f", bucket: {bucket}", keys=(access, secret))
        pages = [await probe.run() for probe in (unknown, wrong, right)]

    assert failed("auth") in pages[0]
    assert unknown.detail == "ListObjectsV2 answered InvalidAccessKeyId"
    assert permitted(pages[0]) is None
    assert failed("auth") in pages[1]
    assert wrong.detail == "ListObjectsV2 answered SignatureDoesNotMatch"
    assert UP in pages[2]


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, "Unauthorized", "auth"),
        (400, "ExpiredToken", "auth"),
        (403, "RequestTimeTooSkewed", "auth"),
        (429, "TooManyRequests", "quota"),
        (503, "SlowDown", "quota"),
        (503, "ServiceUnavailable", "status"),
        (500, "InternalError", "status"),
        (301, "PermanentRedirect", "status"),
        (302, "Found", "status"),
        (403, "AllAccessDenied", "status"),
    ],
)
async def test_a_refusal_fails_with_the_reason_of_its_code(at, status, code, reason):
    probe, page = await always(at, lambda: refusal(status, code))

    assert failed(reason) in page
    assert probe.detail == f"ListObjectsV2 answered {code}"


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "auth"), (404, "status"), (429, "quota"), (500, "status"), (503, "status")]
)
async def test_a_refusal_without_a_word_fails_with_the_reason_of_its_status(at, status, reason):
    probe, page = await always(at, lambda: web.Response(status=status))

    assert failed(reason) in page
    assert probe.detail == f"ListObjectsV2 answered {status}"


async def test_a_denial_without_a_word_is_up_and_not_permitted(at):
    _, page = await always(at, lambda: web.Response(status=403))

    assert UP in page
    assert permitted(page) == 0


async def test_a_list_that_works_does_not_hide_a_head_that_fails(at):
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=500) if request.method == "HEAD" else web.Response(text="<ListBucketResult/>")

    probe, page = await against(at, handler)

    assert failed("status") in page
    assert probe.detail == "HeadBucket answered 500"


@pytest.mark.parametrize("content", [b"", b"something else", b"x" * 100_000], ids=["nothing", "other", "too much"])
async def test_a_canary_with_other_content_fails_with_body_and_is_deleted(at, content):
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.Response(body=content if request.method == "GET" else None)

    probe, page = await against(at, handler, ", canary: true")

    assert failed("body") in page
    assert probe.detail == "the canary's content is not what was written"
    assert asked == ["HEAD", "PUT", "GET", "DELETE"]


async def test_a_canary_that_breaks_off_fails_with_body(at):
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            response = web.StreamResponse(headers={"Content-Length": "32"})
            await response.prepare(request)
            await response.write(b"short")
            assert request.transport is not None
            request.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01" + b"\x00" * 7
            )
            request.transport.abort()
            return response
        return web.Response()

    _, page = await against(at, handler, ", canary: true")

    assert failed("body") in page


@pytest.mark.parametrize("body", ["not XML", "<Error>", "<html></html>", ""])
async def test_a_refusal_that_is_not_in_s3_s_words_fails_with_status(at, body):
    probe, page = await always(at, lambda: web.Response(status=400, text=body))

    assert failed("status") in page
    assert probe.detail == "ListObjectsV2 answered 400"


async def test_a_store_that_is_down_fails_with_connect_until_it_is_back(at):
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    port = closed_port()
    probe = at(f"http://127.0.0.1:{port}")
    down = await probe.run()
    async with http_server(handler, port=port):
        up = await probe.run()

    assert failed("connect") in down
    assert (
        probe.job.state.results[0].detail == f'Could not connect to the endpoint URL: "http://127.0.0.1:{port}/attic"'
    )
    assert permitted(down) is None
    assert UP in up


async def test_a_host_name_that_does_not_exist_fails_with_dns(at):
    page = await at("http://nowhere.invalid").run()

    assert failed("dns") in page


@pytest.mark.parametrize("talk", [reset, answer(b"")], ids=["reset", "closed"])
async def test_a_connection_that_breaks_fails_with_connect(at, talk):
    async with raw_server(talk) as port:
        page = await at(f"http://127.0.0.1:{port}").run()

    assert failed("connect") in page


async def test_a_store_that_hangs_times_out_and_its_thread_ends_soon_after(at):
    async with raw_server(hang) as port:
        probe = at(f"http://127.0.0.1:{port}", timeout="500ms")
        page = await probe.run()
        for thread in threads():
            await asyncio.to_thread(thread.join, 2)
        left = threads()

    assert failed("timeout") in page
    assert probe.detail == "no answer within 0.5 s (in phase request)"
    assert probe.job.state.results[0].duration < 1
    assert left == []


async def test_a_thread_that_hangs_for_ever_is_the_only_one_and_the_probe_recovers_when_it_ends(at):
    well = asyncio.Event()
    served = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")
        while not well.is_set():
            writer.write(b"x: y\r\n")
            with suppress(TimeoutError):
                await asyncio.wait_for(well.wait(), 0.05)
        writer.write(b"\r\n")
        await reader.read()

    async with raw_server(drip) as port:
        probe = at(f"http://127.0.0.1:{port}", timeout="300ms")
        seen = [(await probe.run(), probe.reason, len(threads())) for _ in range(5)]
        well.set()
        up = await probe.run()

    assert [outcome[1:] for outcome in seen] == [("timeout", 1)] * 5
    assert UP in up
    assert len(served) == 2


async def test_a_run_that_is_cancelled_ends_at_once_though_its_thread_cannot(at):
    asked = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await hang(reader, writer)

    async with raw_server(talk) as port:
        probe = at(f"http://127.0.0.1:{port}")
        run = asyncio.create_task(probe.job.run())
        await asyncio.wait_for(asked.wait(), 5)
        run.cancel()
        await asyncio.wait([run], timeout=1)
        await probe.job.close()

    assert run.cancelled()


async def test_each_run_opens_a_connection_of_its_own_and_closes_it(at):
    peers = []
    closed: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer)
        while head := await reader.readline():
            if head == b"\r\n":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        closed.put_nowait(writer)

    async with raw_server(talk) as port:
        probe = at(f"http://127.0.0.1:{port}")
        for _ in range(3):
            await probe.run()
            await asyncio.wait_for(closed.get(), 5)

    assert len(peers) == 3


async def test_the_requests_of_a_canary_share_one_connection(at):
    peers = []

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.Response()

    await against(at, handler, ", canary: true")

    assert len(peers) == 4
    assert len(set(peers)) == 1


async def test_a_certificate_is_verified_against_the_file_that_is_named(at, server_tls, ca_file):
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    async with http_server(handler, server_tls) as port:
        probe = at(f"https://127.0.0.1:{port}")
        distrusted = await probe.run()
        trusted = await at(f"https://127.0.0.1:{port}", f', ca_file: "{ca_file}"').run()

    assert failed("tls") in distrusted
    assert "certificate verify failed" in probe.detail
    assert UP in trusted


async def test_the_probe_recovers_by_itself_from_whatever_was_wrong(at):
    bad = [("InternalError", 500), ("SlowDown", 503), ("InvalidAccessKeyId", 403), ("AccessDenied", 403)]

    async def handler(request: web.Request) -> web.Response:
        if request.method == "HEAD":
            return web.Response(status=bad[-1][1] if bad else 200)
        code, status = bad.pop()
        return refusal(status, code)

    async with http_server(handler) as port:
        probe = at(f"http://127.0.0.1:{port}")
        pages = [await probe.run() for _ in range(5)]

    assert [UP in page for page in pages] == [True, False, False, False, True]
    assert [permitted(page) for page in pages] == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_the_credentials_are_shown_nowhere_even_when_the_server_repeats_them(at, status):
    with capture_logs() as logs:
        probe, page = await always(at, lambda: refusal(status, f"{ACCESS} {SECRET}", f"{ACCESS} {SECRET}"))

    assert probe.detail == "ListObjectsV2 answered *** ***"
    assert ACCESS not in f"{page} {logs}"
    assert SECRET not in f"{page} {logs}"


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment in which boto3 finds no credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return monkeypatch


def keyless(make_probe: Callable[..., Once], port: int) -> Once:
    """A probe that leaves the credentials to boto3."""
    endpoint = f"http://127.0.0.1:{port}"
    return make_probe(f'kind: s3, bucket: attic, endpoint: "{endpoint}", region: us-east-1, timeout: 5s, interval: 6s')


async def test_without_credentials_nothing_is_asked(make_probe, no_credentials):
    probe = make_probe("kind: s3, bucket: attic, timeout: 5s, interval: 6s")
    page = await probe.run()

    assert failed("auth") in page
    assert probe.detail == "Unable to locate credentials"


async def test_a_profile_that_is_not_there_is_a_matter_of_auth(make_probe, no_credentials):
    no_credentials.setenv("AWS_PROFILE", "nowhere")
    probe = keyless(make_probe, closed_port())
    page = await probe.run()

    assert failed("auth") in page
    assert probe.detail == "The config profile (nowhere) could not be found"


async def test_a_denial_by_the_service_that_gives_out_credentials_is_a_failure(make_probe, no_credentials, tmp_path):
    async def handler(request: web.Request) -> web.Response:
        return web.Response(
            status=403,
            text="<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
            content_type="text/xml",
        )

    (tmp_path / "token").write_text("token")
    no_credentials.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/exporter")
    no_credentials.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    async with http_server(handler) as port:
        no_credentials.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{port}")
        probe = keyless(make_probe, closed_port())
        page = await probe.run()

    assert failed("auth") in page
    assert probe.detail == "AssumeRoleWithWebIdentity answered AccessDenied"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("bucket: attic, access_key: {env: ACCESS}", "access_key and secret_key go together"),
        ("bucket: 'no such/name'", "bucket: String should match pattern"),
        ('bucket: attic, endpoint: "http://my_store:9000"', "expected a host name of letters, digits, - and dots"),
        ("region: us-east-1", "missing key 'bucket'"),
    ],
)
def test_what_cannot_work_is_a_configuration_error(config, options, message):
    path = config(f"probes: {{it: {{kind: s3, {options}}}}}")

    with pytest.raises(ConfigError) as error:
        load(path, {"ACCESS": ACCESS})

    assert message in str(error.value)


def from_environment(**environ: str) -> S3Probe:
    probe = load(None, environ).probes["s3"]
    assert isinstance(probe, S3Probe)
    return probe


def test_the_environment_s_bucket_makes_a_probe_with_the_usual_credentials():
    probe = from_environment(S3_BUCKET="uploads")

    assert (probe.bucket, probe.region, probe.endpoint, probe.access_key) == ("uploads", None, None, None)
    assert (probe.canary, probe.critical) == (False, False)


def test_the_environment_s_aws_names_are_taken():
    probe = from_environment(
        S3_BUCKET="uploads",
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_ENDPOINT_URL_S3="http://minio:9000",
        AWS_ACCESS_KEY_ID=ACCESS,
        AWS_SECRET_ACCESS_KEY=SECRET,
    )

    assert (probe.region, probe.endpoint) == ("eu-west-1", "http://minio:9000")
    assert probe.access_key is not None
    assert probe.access_key.reveal() == ACCESS
    assert SECRET not in repr(probe)


def test_temporary_credentials_are_left_to_boto3_which_knows_the_token():
    probe = from_environment(
        S3_BUCKET="uploads", AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN="token"
    )

    assert probe.access_key is None


def test_without_a_bucket_there_is_no_probe():
    assert "s3" not in load(None, {"AWS_ACCESS_KEY_ID": ACCESS}).probes
