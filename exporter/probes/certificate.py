"""Certificates: when does the one that a server shows expire?"""

import asyncio
import ssl
from typing import Any

from exporter.metrics.catalogue import Metric
from exporter.probes.base import LABELS, Run

CERTIFICATE_EXPIRY = Metric(
    "chatterfy_probe_tls_certificate_expiry_timestamp_seconds",
    "gauge",
    "When the certificate that the server last showed expires, in seconds since 1970.",
    LABELS,
)


def note_certificate(run: Run, transport: asyncio.BaseTransport | None) -> None:
    """Sets the expiry of the server's certificate, where there is one and it was verified.

    OpenSSL hands the certificate over in parts only after it has verified it; unverified, its dates stay unknown.
    """
    certificate: dict[str, Any] | None = transport.get_extra_info("peercert") if transport else None
    if certificate:
        run.set(CERTIFICATE_EXPIRY, ssl.cert_time_to_seconds(certificate["notAfter"]))
