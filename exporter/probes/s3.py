"""S3: does the bucket answer, and can objects be written, read and deleted?"""

import asyncio
from collections.abc import Callable, Mapping
from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from pydantic import model_validator
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
    "ExpiredToken": "auth",
    "InvalidAccessKeyId": "auth",
    "SignatureDoesNotMatch": "auth",
    "429": "quota",
    "SlowDown": "quota",
    "TooManyRequests": "quota",
}
"""Codes that say why (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html); others are `status`."""
_ERRORS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Reason], ...] = (
    ((ConnectTimeoutError, ReadTimeoutError), "timeout"),
    (SSLError, "tls"),
    ((NoCredentialsError, PartialCredentialsError), "auth"),
    ((ResponseParserError, IncompleteReadError, ResponseStreamingError), "body"),
    (HTTPClientError, "connect"),
)


@probe
class S3Probe(Probe):
    """Asks for the bucket's head and, with `canary`, writes, reads and deletes a small object.

    Phases: request (the head), write, read, delete. A denial is an answer: the probe succeeds, not permitted.
    """

    kind: Literal["s3"]
    bucket: str
    """The bucket's name."""
    region: str | None = None
    """The region; the AWS environment or profile otherwise."""
    endpoint: HttpUrl | None = None
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
    """Certificates to trust instead of the system's, in PEM."""

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
        return boto3.session.Session().client(
            "s3",
            region_name=self.region,
            endpoint_url=self.endpoint,
            verify=str(self.ca_file) if self.ca_file else None,
            aws_access_key_id=self.access_key.reveal() if self.access_key else None,
            aws_secret_access_key=self.secret_key.reveal() if self.secret_key else None,
            config=Config(
                # The defaults try for 19.8 s on an endpoint that hangs.
                connect_timeout=2,
                read_timeout=2,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"} if self.endpoint else {},
            ),
        )

    @cached_property
    def _requests(self) -> "_Requests":
        return _Requests(f"s3:{self.bucket}")

    @cached_property
    def _canary(self) -> str:
        """The canary's key: replicas do not share one, and a crash leaves at most one object behind."""
        return f"{self.prefix}canary-{token_hex(8)}"

    async def check(self, run: Run) -> None:
        """Fails with dns, connect, tls, timeout, auth, quota, status (no such bucket) or body (other content)."""
        run.permit()
        try:
            with run.phase("request"):
                await self._requests.send(lambda: self._client.head_bucket(Bucket=self.bucket))
            if self.canary:
                await self._write_read_delete(run)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code not in DENIED:
                raise Failed(_CODES.get(code, "status"), f"{error.operation_name} answered {code}") from error
            run.permit(denied=f"{error.operation_name} is denied")
        except (BotoCoreError, ValueError) as error:
            raise _failed(error) from error
        finally:
            # Drops the pooled connections: the next run opens its own.
            if "_client" in self.__dict__:
                self._client.close()

    async def _write_read_delete(self, run: Run) -> None:
        bucket, key, content = self.bucket, self._canary, token_hex(16).encode()
        with run.phase("write"):
            await self._requests.send(lambda: self._client.put_object(Bucket=bucket, Key=key, Body=content))
        with run.phase("read"):
            read = await self._requests.send(lambda: self._client.get_object(Bucket=bucket, Key=key)["Body"].read(len(content) + 1))
        with run.phase("delete"):
            await self._requests.send(lambda: self._client.delete_object(Bucket=bucket, Key=key))
        if read != content:
            raise Failed("body", "the canary's content is not what was written")


class _Requests:
    """Requests in threads, one at a time: what hangs there is remembered, so that no second one joins it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pending: asyncio.Future[Any] | None = None

    async def send(self, request: Callable[[], Answer]) -> Answer:
        """Runs the blocking request; raises Failed while an earlier one hangs."""
        if self._pending and not self._pending.done():
            raise Failed("timeout", "the previous run's request still hangs")
        pending = in_thread(request, self._name)
        pending.add_done_callback(asyncio.Future.exception)  # retrieved, also when the run is over by then
        self._pending = pending
        return await asyncio.shield(pending)


def _failed(error: Exception) -> Failed:
    if isinstance(error, EndpointConnectionError):
        cause = error.kwargs.get("error")
        return Failed("dns" if isinstance(cause, NameResolutionError) else "connect", "the endpoint cannot be reached")
    reason: Reason = next((reason for kinds, reason in _ERRORS if isinstance(error, kinds)), "internal")
    return Failed(reason, f"the request failed ({type(error).__name__})")
