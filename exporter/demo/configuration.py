"""The exporter's configuration for the demo, as a user would write it."""

from pathlib import Path
from typing import Any

import yaml

from exporter.demo.catalogue import MODELS, PAGES
from exporter.demo.pages import KEY
from exporter.demo.s3 import BUCKET
from exporter.demo.site import HOST, Sites

ENVIRONMENT = "demo"

FASTER = {"interval": "5s", "timeout": "2s"}
"""Shorter than the defaults, so that whoever watches sees an outage at once."""


def configuration(port: int, sites: Sites, authority: Path) -> str:
    """The YAML to watch the started sites and the database; listens on `port`, trusts the file `authority`.

    Its state stands beside that file.
    """
    web, api, stripe, s3 = sites
    trust = {"ca_file": str(authority)}
    probes: dict[str, dict[str, Any]] = {
        "web": {"kind": "http", "url": f"{web.url}/", "critical": True},
        "web_health": {"kind": "http", "url": f"{web.url}/api/health"},
        "web_tls": {"kind": "http", "url": f"{web.tls_url}/", **trust},
        "api": {"kind": "http", "url": f"{api.url}/health", "critical": True},
        "api_tls": {"kind": "http", "url": f"{api.tls_url}/health", **trust},
        "api_port": {"kind": "tcp", "host": HOST, "port": api.port},
        "api_db": {"kind": "http", "url": f"{api.url}/admin/health/db"},
        "api_stripe": {"kind": "http", "url": f"{api.url}/admin/health/stripe"},
        "api_s3": {"kind": "http", "url": f"{api.url}/admin/health/s3"},
        "chat": {"kind": "http", "url": f"{api.url}/v1/chat/completions", "method": "POST", "status": [401]},
        "certificate": {"kind": "tls", "host": "localhost", "port": web.tls_port, **trust},
        "db": {"kind": "postgres", "url": {"env": "DEMO_DATABASE_URL"}},
        "stripe": {"kind": "stripe", "key": {"env": "DEMO_STRIPE_KEY"}, "api": stripe.url},
        "s3": {
            "kind": "s3",
            "bucket": BUCKET,
            "endpoint": s3.url,
            "region": "us-east-1",
            "access_key": {"env": "DEMO_S3_ACCESS_KEY"},
            "secret_key": {"env": "DEMO_S3_SECRET_KEY"},
            "canary": True,
        },
    }
    document = {
        "listen": f"{HOST}:{port}",
        "environment": ENVIRONMENT,
        "log": {"level": "warning"},
        "alerts": {"token": {"env": "DEMO_ALERTS_TOKEN"}, "sentry": {"env": "DEMO_SENTRY_DSN"}},
        "probes": {name: options | FASTER for name, options in probes.items()},
        "database": {"url": {"env": "DEMO_DATABASE_URL"}},
        "queries": {"every": dict.fromkeys(("active_orgs", "mrr_usd", "orgs", "subscriptions", "users"), "15s")},
        "state": {"path": str(authority.with_name("state.sqlite"))},
        "daily": {"enabled": True, "url": {"env": "DEMO_WRITER_URL"}, "every": "1m", "timeout": "30s"},
        "ingest": _ingest(web.url),
    }
    return yaml.safe_dump(document, sort_keys=False)


def _ingest(origin: str) -> dict[str, Any]:
    """What the toy's servers and its pages at `origin` post to."""
    token = {"env": "DEMO_INGEST_TOKEN"}
    models: dict[str, list[str]] = {}
    for model in dict.fromkeys(MODELS):
        models.setdefault(model.provider, []).append(model.name)
    return {
        "listen": f"{HOST}:0",
        "url": {"env": "DEMO_KEEPER_URL"},
        "events": {"token": dict(token)},
        "requests": {"token": dict(token)},
        "beacon": {"origins": [origin], "pages": [page.route for page in dict.fromkeys(PAGES)], "models": models},
        "sentry": {"projects": {"api": {"dsn": {"env": "DEMO_APP_DSN"}}}},
        "posthog": {"forward": False, "origins": [origin], "keys": [KEY]},
        "deploys": {"token": dict(token), "slack": {"env": "DEMO_SLACK_WEBHOOK"}},
    }
