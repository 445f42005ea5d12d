"""The section `sentry` of a configuration: what is wrong in it is told where it stands."""

from pathlib import Path

import pytest

from exporter.errors import ConfigError
from exporter.settings import load

pytestmark = pytest.mark.fast
DSN = "https://key@sentry.example.com/42"
WEB = "https://key@sentry.example.com/43"


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("projects: {}", "ingest.sentry.projects: "),
        ("projects: {api: {}}", "ingest.sentry.projects.api: missing key 'dsn'"),
        ("projects: {api: {dsn: {env: BAD}}}", "ingest.sentry.projects.api.dsn: expected a DSN such as"),
        (
            "projects: {api: {dsn: {env: DSN}}, web: {dsn: {env: OTHER}}}",
            "ingest.sentry.projects: api and web have the same id and key: one of them is enough",
        ),
        (
            "projects: {api: {dsn: {env: DSN}}}, tunnel: monitoring",
            "ingest.sentry.tunnel: expected a path such as /monitoring, outside /api/",
        ),
        ("projects: {api: {dsn: {env: DSN}}}, tunnel: /api/42/envelope/", "ingest.sentry.tunnel: expected a path"),
        (
            r"projects: {api: {dsn: {env: DSN}}}, transactions: {rules: [{match: a, replace: '\2'}]}",
            r"ingest.sentry.transactions.rules.0: replace: not a replacement for 'a'",
        ),
    ],
)
def test_what_is_wrong_is_told(config, options, wanted):
    environ = {"DSN": DSN, "OTHER": "https://key@elsewhere.example.com/42", "BAD": "https://secret"}

    with pytest.raises(ConfigError) as caught:
        load(config(f"ingest: {{sentry: {{{options}}}}}"), environ)

    assert wanted in str(caught.value).replace("[0]", ".0")
    assert "secret" not in str(caught.value)


def test_the_configuration_in_the_docs_is_one(config):
    text = (Path(__file__).parents[2] / "docs/ingest/sentry.md").read_text().split("```yaml\n")[1].split("```")[0]

    assert load(config(text), {"SENTRY_DSN": DSN, "WEB_SENTRY_DSN": WEB}).ingest


def test_a_projects_dsn_is_enough(config):
    settings = load(config("ingest: {sentry: {projects: {api: {dsn: {env: DSN}}}}}"), {"DSN": DSN})

    assert settings.ingest
    assert "key@" not in repr(settings.ingest)
