"""The stand-ins for what the exporter watches over HTTP: the web site, the API, Stripe and S3."""

from collections.abc import Collection
from functools import partial
from random import Random
from ssl import SSLContext

from exporter.clock import Clock
from exporter.demo.outages import Outage
from exporter.demo.s3 import build_s3
from exporter.demo.site import Place, Site, Sites
from exporter.demo.stripe import build_stripe
from exporter.demo.upstreams import build_api, build_web


def stand_ins(
    clock: Clock,
    random: Random,
    broken: Collection[Outage],
    certificate: SSLContext | None = None,
    place: Place = Place(),  # noqa: B008  (never changes)
) -> Sites:
    """Makes them, but starts none; with a certificate the web site and the API answer over TLS too."""
    host, (web, api, stripe, s3) = place
    return Sites(
        web=Site(build_web, certificate, host=host, port=web),
        api=Site(partial(build_api, clock, random, broken), certificate, host=host, port=api),
        stripe=Site(build_stripe, host=host, port=stripe),
        s3=Site(build_s3, host=host, port=s3),
    )
