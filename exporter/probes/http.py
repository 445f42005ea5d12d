"""HTTP: does a URL answer as it should, how long does each part take, and how long is its certificate good?"""

import json
import socket
import ssl
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Annotated, Any, Literal

import jmespath
from pydantic import AfterValidator, Field

from exporter.config.fields import CaFile, HttpUrl, Pattern, Size, Statuses
from exporter.config.secret import PlainOrSecret
from exporter.errors import Failed, Reason
from exporter.metrics.catalogue import Metric
from exporter.probes.base import LABELS, Probe, Run, probe
from exporter.probes.certificate import note_certificate
from exporter.tools import tls_context
from exporter.tools.http import http_failures, read_body

STATUS_CODE = Metric(
    "chatterfy_probe_http_status_code", "gauge", "The HTTP status that was last answered; set at every answer.", LABELS
)

_FAMILIES = {"any": 0, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_REASONS: dict[int, Reason] = {401: "auth", 403: "auth", 429: "quota"}
"""Statuses that say why; every other one that was not wanted is `status`."""


def _json_path(expression: str) -> str:
    try:
        jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"expected a path such as checks.database, got {expression!r}") from error
    return expression


@probe
class HttpProbe(Probe):
    """Requests a URL over a fresh connection.

    Phases: dns, connect, tls, request (until the answer's headers have come), response (its body).
    """

    kind: Literal["http"]
    url: HttpUrl
    """What to request."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    """The request's method."""
    headers: dict[str, PlainOrSecret] = Field(default_factory=dict)
    """Headers to send; a value may be `{env: NAME}` or `{file: PATH}`."""
    body: PlainOrSecret | None = None
    """A body to send."""
    status: Statuses = ((200, 299),)
    """The statuses that are right: `200`, `200-299`, `2xx`, or a list."""
    matches: Pattern | None = None
    """A regular expression to be found in the answer's body, which is read as UTF-8."""
    json_equals: dict[Annotated[str, AfterValidator(_json_path)], Any] = Field(default_factory=dict, alias="json")
    """Paths into the answer's JSON (`checks.database`) and the values they must have."""
    redirects: int = Field(5, ge=0, le=20)
    """Redirects to follow; 0 follows none, so that a redirect's own status counts."""
    verify: bool = True
    """Whether to verify the certificate; without it, its expiry stays unknown."""
    ca_file: CaFile | None = None
    """Certificates to trust instead of the system's, in PEM."""
    ip: Literal["any", "ipv4", "ipv6"] = "any"
    """The IP family to use."""
    body_limit: Size = 1024**2
    """An answer's body that is longer fails the probe."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Mapping[str, dict[str, Any]]:
        """APP_URL names the web front end, API_URL the API; the chat endpoint costs no tokens when it answers 401."""
        probes: dict[str, dict[str, Any]] = {}
        if app := environ.get("APP_URL", "").rstrip("/"):
            probes["web"] = {"kind": "http", "url": f"{app}/"}
            probes["web_health"] = {"kind": "http", "url": f"{app}/api/health"}
        if api := environ.get("API_URL", "").rstrip("/"):
            probes["api"] = {"kind": "http", "url": f"{api}/health"}
            probes["chat"] = {"kind": "http", "url": f"{api}/v1/chat/completions", "method": "POST", "status": 401}
        return probes

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return tls_context(self.ca_file, verify=self.verify)

    @cached_property
    def _request(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "url": self.url,
            "headers": {name: value.reveal() for name, value in self.headers.items()},
            "data": self.body.reveal().encode() if self.body else None,
            "allow_redirects": self.redirects > 0,
            "max_redirects": self.redirects,
        }

    async def check(self, run: Run) -> None:
        """Fails with dns, connect, tls, status, auth, quota or body."""
        show = partial(note_certificate, run)
        with http_failures():
            async with run.tools.session(run.phase, self._tls, _FAMILIES[self.ip], show) as session:
                with run.phase("request"):
                    response = await session.request(**self._request)
                async with response:
                    run.set(STATUS_CODE, response.status)
                    with run.phase("response"):
                        body = await read_body(response, self.body_limit)
        self._judge(response.status, body)

    def _judge(self, status: int, body: bytes) -> None:
        if not any(low <= status <= high for low, high in self.status):
            raise Failed(_REASONS.get(status, "status"), f"the status is {status}")
        if self.matches and not self.matches.search(body.decode("utf-8", "replace")):
            raise Failed("body", f"the answer's body does not match {self.matches.pattern!r}")
        if self.json_equals:
            self._judge_json(body)

    def _judge_json(self, body: bytes) -> None:
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise Failed("body", "the answer's body is not JSON") from error
        for path, wanted in self.json_equals.items():
            if jmespath.search(path, answer) != wanted:
                raise Failed("body", f"{path} is not {json.dumps(wanted)}")
