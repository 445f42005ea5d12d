"""S3, played by moto in a process of its own on 127.0.0.1."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3

from tests.support.servers import closed_port

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Moto:
    """A moto server; everything is allowed to everyone until `authorization` is on."""

    def __init__(self) -> None:
        self.port = closed_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._names = count(1)
        # Without coverage's own variables, which would slow its start down and say nothing.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environ,
        )
        self._wait()
        self._access: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "admin",
            "aws_secret_access_key": "admin",
        }
        self.s3: S3Client = boto3.session.Session().client("s3", **self._access)

    def bucket(self) -> str:
        """Makes a bucket of a name of its own."""
        name = f"bucket-{next(self._names)}"
        self.s3.create_bucket(Bucket=name)
        return name

    def keys(self, bucket: str) -> list[str]:
        """The keys of the bucket's objects."""
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def user(self, *actions: str) -> tuple[str, str]:
        """Makes a user who may do this and nothing else; gives the access key and its secret."""
        iam = boto3.session.Session().client("iam", **self._access)
        name = f"user-{next(self._names)}"
        iam.create_user(UserName=name)
        if actions:
            statement = f'{{"Effect": "Allow", "Action": {list(actions)}, "Resource": "*"}}'.replace("'", '"')
            policy = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
            iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    @contextmanager
    def authorization(self) -> Iterator[None]:
        """For that long, keys and signatures are checked, and nothing is allowed that no policy allows."""
        self._check_after(b"0")
        try:
            yield
        finally:
            self._check_after(b"inf")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)

    def _check_after(self, requests: bytes) -> None:
        headers = {"Content-Type": "text/plain"}
        urlopen(Request(f"{self.url}/moto-api/reset-auth", requests, headers), timeout=5).close()

    def _wait(self) -> None:
        while self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise AssertionError("moto did not start")
