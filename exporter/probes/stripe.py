"""Stripe: does the API answer, and does it know our key?"""

from collections.abc import Mapping
from typing import Any, Literal

import stripe

from exporter.config.fields import HttpUrl
from exporter.config.secret import SecretField
from exporter.errors import Failed
from exporter.probes.base import Probe, Run, probe
from exporter.tools import tls_context


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
        async with run.tools.session(run.phase, tls_context()) as session:
            client = stripe.StripeClient(
                self.key.reveal(),
                base_addresses={"api": self.api.rstrip("/")},
                # A timeout of 0 sets none: the run has one. A retry would hide what the probe is there to see.
                http_client=stripe.AIOHTTPClient(timeout=0, session=session),
                max_network_retries=0,
            )
            try:
                await self._ask(client, run)
            except stripe.StripeError as error:
                raise _failed(error) from error

    async def _ask(self, client: stripe.StripeClient, run: Run) -> None:
        answer: stripe.StripeObject
        run.permit()
        with run.phase("request"):
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


def _failed(error: stripe.StripeError) -> Failed:
    """Stripe's errors as reasons; its messages are left out, since they repeat parts of the key."""
    cause = error.__cause__
    if isinstance(cause, Failed):
        return cause
    if isinstance(error, stripe.APIConnectionError):
        return Failed("connect", f"the connection broke ({type(cause).__name__})")
    status = error.http_status
    if isinstance(error, stripe.AuthenticationError):
        return Failed("auth", f"Stripe does not know the key (status {status})")
    if isinstance(error, stripe.RateLimitError):
        return Failed("quota", f"Stripe answers too many requests (status {status})")
    if status is not None and status < 300:
        return Failed("body", "the answer is not Stripe's JSON")
    return Failed("status", f"Stripe answered with status {status}")
