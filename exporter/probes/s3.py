"""S3: does the bucket answer, and can objects be written, read and deleted?"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ResponseStreamingError,
    SSLError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.utils import is_valid_endpoint_url
from pydantic import AfterValidator, Field, model_validator
from urllib3.exceptions import NameResolutionError

from exporter.config.fields import CaFile, HttpUrl
from exporter.config.secret import SecretField
from exporter.errors import Failed, Reason
from exporter.probes.base import Probe, Run, probe
from exporter.tools import in_thread

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Answer = TypeVar("Answer")

DENIED = frozenset({"403", "AccessDenied", "AllAccessDisabled"})
_CODES: dict[str, Reason] = {
    "401": "auth",
    "AccessDenied": "auth",
    "ExpiredToken": "auth",
    "InvalidAccessKeyId": "auth",
    "InvalidToken": "auth",
    "RequestTimeTooSkewed": "auth",
    "SignatureDoesNotMatch": "auth",
    "429": "quota",
    "SlowDown": "quota",
}
"""Codes and statuses that say why (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)."""
_ERRORS: tuple[tuple[type[BotoCoreError], Reason], ...] = (
    (SSLError, "tls"),
    (NoCredentialsError, "auth"),
    (PartialCredentialsError, "auth"),
    (ProfileNotFound, "auth"),
    (ResponseStreamingError, "body"),
    (HTTPClientError, "connect"),
    (BotoConnectionError, "connect"),
)
"""boto3's own errors; the more special comes first."""


def _endpoint(url: str) -> str:
    if not is_valid_endpoint_url(url):
        raise ValueError("expected a host name of letters, digits, - and dots: boto3 takes no other")
    return url


@probe
class S3Probe(Probe):
    """Asks for the bucket's head and, with `canary`, writes, reads and deletes a small object.

    Phases: request (the head), write, read, delete. A denial is an answer: the probe succeeds, not permitted.
    """

    kind: Literal["s3"]
    bucket: str = Field(pattern=r"^(arn:.+|[A-Za-z0-9._-]{1,255})$")
    """The bucket's name, or an access point's ARN."""
    region: str | None = None
    """The region; the AWS environment or profile otherwise."""
    endpoint: Annotated[HttpUrl, AfterValidator(_endpoint)] | None = None
    """The address of another S3-compatible store, such as MinIO."""
    access_key: SecretField | None = None
    """The access key; the usual AWS sources otherwise."""
    secret_key: SecretField | None = None
    """The access key's secret."""
    canary: bool = False
    """Whether to write, read and delete a small object at every run."""
    prefix: str = "chatterfy-exporter/"
    """What the canary's key begins with."""
    ca_file: CaFile | None = None
    """Certificates to trust instead of the usual ones, in PEM."""

    @model_validator(mode="after")
    def _both_keys_or_none(self) -> "S3Probe":
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key go together")
        return self

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Mapping[str, dict[str, Any]]:
        """S3_BUCKET, with the AWS names for the region, the endpoint and the keys."""
        if "S3_BUCKET" not in environ:
            return {}
        options: dict[str, Any] = {"kind": "s3", "bucket": environ["S3_BUCKET"]}
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        endpoint = environ.get("S3_ENDPOINT") or environ.get("AWS_ENDPOINT_URL_S3")
        if region:
            options["region"] = region
        if endpoint:
            options["endpoint"] = endpoint
        if {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= environ.keys() and "AWS_SESSION_TOKEN" not in environ:
            options |= {"access_key": {"env": "AWS_ACCESS_KEY_ID"}, "secret_key": {"env": "AWS_SECRET_ACCESS_KEY"}}
        return {"s3": options}

    @cached_property
    def _client(self) -> "S3Client":
        """Made in a thread, since it reads megabytes of API descriptions."""
        client = boto3.session.Session().client(
            "s3",
            region_name=self.region,
            endpoint_url=self.endpoint,
            verify=str(self.ca_file) if self.ca_file else None,
            aws_access_key_id=self.access_key.reveal() if self.access_key else None,
            aws_secret_access_key=self.secret_key.reveal() if self.secret_key else None,
            config=Config(
                # The run's own limit strikes first; these end the thread soon after. The defaults take minutes.
                connect_timeout=self.timeout,
                read_timeout=self.timeout,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"} if self.endpoint else {},
            ),
        )
        if self.endpoint:
            client.meta.events.register("before-parameter-build.s3", _never_redirect)
        return client

    @cached_property
    def _requests(self) -> "_Requests":
        return _Requests(f"s3:{self.bucket}")

    @cached_property
    def _canary(self) -> str:
        """The canary's key: replicas do not share one, and a crash leaves at most one object behind."""
        return f"{self.prefix}canary-{token_hex(8)}"

    async def check(self, run: Run) -> None:
        """Fails with dns, connect, tls, auth, quota, status (no such bucket) or body (other content)."""
        try:
            denials = [await _denial(self._head(run))]
            if self.canary:
                denials.append(await _denial(self._write_read_delete(run)))
            run.permit(denied="; ".join(filter(None, denials)))
        except BotoCoreError as error:
            raise _failed(error) from error
        finally:
            # Drops the pooled connections: the next run opens its own.
            if "_client" in self.__dict__:
                self._client.close()

    async def _head(self, run: Run) -> None:
        with run.phase("request"):
            try:
                await self._requests.send(lambda: self._client.head_bucket(Bucket=self.bucket))
            except ClientError:
                # The answer to a HEAD has no body that says why: the same right is needed for a list, which has one.
                await self._requests.send(lambda: self._client.list_objects_v2(Bucket=self.bucket, MaxKeys=1))
                raise

    async def _write_read_delete(self, run: Run) -> None:
        key, content = self._canary, token_hex(16).encode()
        with run.phase("write"):
            await self._requests.send(lambda: self._client.put_object(Bucket=self.bucket, Key=key, Body=content))
        try:
            with run.phase("read"):
                read = await self._requests.send(lambda: self._read(key, len(content) + 1))
        except ClientError:
            await self._delete(run, key)
            raise
        await self._delete(run, key)
        if read != content:
            raise Failed("body", "the canary's content is not what was written")

    def _read(self, key: str, limit: int) -> bytes:
        with closing(self._client.get_object(Bucket=self.bucket, Key=key)["Body"]) as body:
            return body.read(limit)

    async def _delete(self, run: Run, key: str) -> None:
        with run.phase("delete"):
            await self._requests.send(lambda: self._client.delete_object(Bucket=self.bucket, Key=key))


class _Requests:
    """Requests in threads, one at a time: what hangs there is waited for, so that no second one joins it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pending: asyncio.Future[Any] | None = None

    async def send(self, request: Callable[[], Answer]) -> Answer:
        """Runs the blocking request, once the one that an earlier run has left behind is over."""
        if self._pending:
            await asyncio.wait([self._pending])
        pending = in_thread(request, self._name)
        pending.add_done_callback(asyncio.Future.exception)  # looked at, also when the run is over by then
        self._pending = pending
        return await asyncio.shield(pending)


def _never_redirect(context: dict[str, Any], **_: object) -> None:
    """Keeps boto3 from asking for the bucket's region: it recurses where all is redirected, as from http to https."""
    context["s3_redirect"]["redirected"] = True


async def _denial(step: Awaitable[None]) -> str:
    """What S3 denied in a step, if it did; raises Failed for every other refusal."""
    try:
        await step
    except ClientError as error:
        status = str(error.response["ResponseMetadata"]["HTTPStatusCode"])
        name, code = error.operation_name, error.response["Error"].get("Code") or status
        # A denial by the service that gives out credentials is none by S3.
        if code in DENIED and not name.startswith("AssumeRole"):
            return f"{name} is denied"
        raise Failed(_CODES.get(code) or _CODES.get(status, "status"), f"{name} answered {code:.64}") from error
    return ""


def _failed(error: BotoCoreError) -> Failed:
    reason: Reason = next((reason for kind, reason in _ERRORS if isinstance(error, kind)), "internal")
    if isinstance(error.kwargs.get("error"), NameResolutionError):
        reason = "dns"
    return Failed(reason, str(error))
