"""Stripe: does the API answer, and does it know our key?"""

from collections.abc import Mapping
from typing import Any, Literal

import aiohttp
import stripe

from exporter.config.fields import HttpUrl
from exporter.config.secret import SecretField
from exporter.errors import Failed, Reason
from exporter.probes.base import Probe, Run, probe
from exporter.tools.http import http_failures, read_body

BODY_LIMIT = 1024**2
_REASONS: dict[int, Reason] = {401: "auth", 429: "quota"}
"""Statuses that say why (https://docs.stripe.com/api/errors); every other one is `status`."""


@probe
class StripeProbe(Probe):
    """Retrieves the account, or the balance where a restricted key may not. Phases as for http."""

    kind: Literal["stripe"]
    key: SecretField
    """A secret or a restricted key; a restricted one needs nothing but to read the balance."""
    api: HttpUrl = "https://api.stripe.com"
    """The API's address."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Mapping[str, dict[str, Any]]:
        """STRIPE_SECRET_KEY, as the app reads it."""
        named = "STRIPE_SECRET_KEY" in environ
        return {"stripe": {"kind": "stripe", "key": {"env": "STRIPE_SECRET_KEY"}}} if named else {}

    async def check(self, run: Run) -> None:
        """Fails with dns, connect, tls, auth (unknown key), quota (429), status or body."""
        with http_failures():
            async with run.tools.session(run.phase) as session:
                client = stripe.StripeClient(
                    self.key.reveal(),
                    base_addresses={"api": self.api.rstrip("/")},
                    http_client=_Transport(session, run),
                    max_network_retries=0,  # a retry would hide what the probe is there to see
                )
                try:
                    await self._ask(client, run)
                except stripe.StripeError as error:
                    # Its message stays out: it repeats parts of the key, or the answer.
                    raise Failed("body", "the answer is not Stripe's JSON") from error

    async def _ask(self, client: stripe.StripeClient, run: Run) -> None:
        answer: stripe.StripeObject
        try:
            answer = await client.v1.accounts.retrieve_current_async()
        except stripe.PermissionError:
            try:
                answer = await client.v1.balance.retrieve_async()
            except stripe.PermissionError:
                run.permit(denied="the key may read neither the account nor the balance")
                return
        if getattr(answer, "object", None) not in ("account", "balance"):
            raise Failed("body", "the answer is neither an account nor a balance")
        run.permit()


class _Transport(stripe.HTTPClient):
    """Carries the SDK's requests over the run's own session: phases, limits and reasons are those of every probe."""

    name = "chatterfy-exporter"

    def __init__(self, session: aiohttp.ClientSession, run: Run) -> None:
        super().__init__()
        self._session = session
        self._run = run

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """The answer, if it is one that the SDK has to read: what was asked for, or a denial."""
        with self._run.phase("request"):
            # A redirect is not Stripe's, and must not carry the key elsewhere.
            response = await self._session.request(method, url, headers=headers, data=post_data, allow_redirects=False)
        async with response:
            with self._run.phase("response"):
                body = await read_body(response, BODY_LIMIT)
        if response.status not in (200, 403):
            raise Failed(_REASONS.get(response.status, "status"), f"Stripe answered with status {response.status}")
        return body, response.status, response.headers
