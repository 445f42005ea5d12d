"""The section `posthog` of a configuration: what is wrong in it is told where it stands."""

import pytest

from exporter.errors import ConfigError
from exporter.settings import load

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("prefix: ingest", "ingest.posthog.prefix: expected a path such as /ingest, without a slash at the end"),
        ("prefix: /", "ingest.posthog.prefix: expected a path"),
        ("prefix: '/a/{b}'", "ingest.posthog.prefix: expected a path"),
        ("api: https://eu.i.posthog.com/e", "ingest.posthog.api: expected a host alone, such as https://eu.i."),
        ("assets: 'https://eu-assets.i.posthog.com?a=1'", "ingest.posthog.assets: expected a host alone"),
        ("api: eu.i.posthog.com", "ingest.posthog.api: expected a URL such as"),
        ("under_way: 0", "ingest.posthog.under_way: "),
        ("timeout: 10", "ingest.posthog.timeout: expected a duration"),
    ],
)
def test_what_is_wrong_is_told(config, options, wanted):
    with pytest.raises(ConfigError) as caught:
        load(config(f"ingest: {{posthog: {{{options}}}}}"), {})

    assert wanted in str(caught.value)


def test_nothing_but_the_section_is_needed(config):
    settings = load(config("ingest: {posthog: {}}"), {})

    assert settings.ingest
    (section,) = settings.ingest.sections
    assert "https://us.i.posthog.com" in repr(section)
