"""The section `posthog`: where the proxy stands, what it counts, and how requests go on."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from yarl import URL

from exporter.config.fields import Duration, HttpUrl, Size
from exporter.limits import Endpoint, Given, Origin, Section, Visitors, section
from exporter.relay.posthog.counts import Counts
from exporter.relay.posthog.endpoint import Hosts, Proxy
from exporter.relay.posthog.routes import routes
from exporter.relay.posthog.upstream import Bounds, Upstream


def _host(url: str) -> str:
    parts = URL(url)
    if parts.path != "/" or parts.query_string or parts.fragment:
        raise ValueError("expected a host alone, such as https://eu.i.posthog.com")
    return url


HostUrl = Annotated[HttpUrl, AfterValidator(_host)]


@section("posthog")
class PosthogOptions(Section):
    """Counts what PostHog's SDKs send, and passes it on untouched."""

    prefix: str = "/ingest"
    """The path under which PostHog's own paths are: `/ingest/e/` and so on. Ad blockers know `/posthog`."""
    api: HostUrl = "https://us.i.posthog.com"
    """PostHog's host for events; https://eu.i.posthog.com for projects in the EU."""
    assets: HostUrl = "https://us-assets.i.posthog.com"
    """PostHog's host for scripts and their settings; https://eu-assets.i.posthog.com for projects in the EU."""
    forward: bool = True
    """Whether requests go on to PostHog; without that events are counted and the SDKs told that all is well."""
    events: list[str] = Field(default=["chat_message_sent", "subscription_upgrade", "file_uploaded"])
    """The app's events that are told apart, beside PostHog's own such as `$pageview`; the rest is `other`."""
    origins: list[Origin] = Field(default_factory=list)
    """The origins whose pages may send, such as https://app.example.com; none for all. Servers send no origin."""
    keys: list[str] = Field(default_factory=list)
    """The projects' API keys (`phc_...`, which are public) that may be used; none for all. Recordings are not read."""
    client_address: bool = True
    """Whether PostHog is told the client's address, by which it finds the place; of IPv6 the /64."""
    timeout: Duration = 10.0
    """What PostHog may take for a whole answer."""
    answer: Size = 8 * 1024 * 1024
    """Bytes of PostHog's answer, compressed as it comes, that are passed back."""
    under_way: int = Field(64, ge=1)
    """Requests that may be under way to PostHog at the same moment; further ones are refused with 503."""

    @field_validator("prefix")
    @classmethod
    def _is_a_path(cls, prefix: str) -> str:
        if not re.fullmatch(r"(/[A-Za-z0-9_~-]+)+", prefix):
            raise ValueError("expected a path such as /ingest, without a slash at the end")
        return prefix

    def endpoints(self, given: Given) -> Iterable[Endpoint]:
        """PostHog's paths, under the prefix."""
        upstream = None
        if self.forward:
            upstream = Upstream(given.tools, given.store, Bounds(self.timeout, self.answer, self.under_way))
            given.closing.push_async_callback(upstream.close)
        hosts = Hosts(URL(self.api), URL(self.assets))
        proxy = Proxy(hosts, Counts(given.store, self.events), upstream, frozenset(self.keys))
        access = Visitors(None, frozenset(self.origins))
        for route in routes():
            answer = partial(proxy.answer, route, access, tell_address=self.client_address)
            methods = ("GET",) if route.assets else ("GET", "POST")
            yield Endpoint(
                "posthog_assets" if route.assets else "posthog", self.prefix + route.pattern, answer, access, methods
            )
