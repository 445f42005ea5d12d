"""What the section takes, and what it says of the rest."""

import re
from pathlib import Path

import pytest

from exporter.errors import ConfigError
from exporter.settings import load

pytestmark = pytest.mark.fast
DOCS = Path(__file__).parents[3] / "docs/ingest/beacons.md"


def test_the_section_of_the_docs_is_taken(config):
    written = re.findall(r"```yaml\n(.+?)```", DOCS.read_text(), re.DOTALL)

    settings = load(config("".join(written)), {})

    assert settings.ingest
    assert '"/chat/[id]"' in settings.model_dump_json()


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://[::1]:3000", "https://xn--caf-dma.example"])
def test_what_browsers_send_as_an_origin_is_one(config, origin):
    assert load(config(f"ingest: {{beacon: {{origins: ['{origin}']}}}}"), {}).ingest


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("{}", "ingest.beacon: missing key 'origins'"),
        ("{origins: []}", "ingest.beacon.origins: "),
        ("{origins: ['https://a.b/']}", "without a path, got 'https://a.b/'"),
        ("{origins: ['*']}", "expected an origin such as https://app.example.com"),
        ("{origins: ['http://a'], pages: [chat]}", "expected a route such as /chat/[id], got 'chat'"),
        ("{origins: ['http://a'], models: {openai: ['']}}", "expected a name of 1 to 100 characters of ASCII, got ''"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(config, section, told):
    with pytest.raises(ConfigError) as error:
        load(config(f"ingest: {{beacon: {section}}}"), {})

    assert "config.yml:1: ingest.beacon" in str(error.value)
    assert told in str(error.value)
