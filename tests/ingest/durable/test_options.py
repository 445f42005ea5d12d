"""What a configuration says of the durable path."""

from pathlib import Path

import pytest

from exporter.config.model import build
from exporter.config.reader import Document
from exporter.config.secret import Sources
from exporter.errors import ConfigError
from exporter.ingest.durable import KeepingOptions

pytestmark = pytest.mark.fast


def built(data, folder):
    return build(KeepingOptions, Document(data, "config.yml"), Sources({}, folder))


def test_the_spool_is_beside_the_configuration_and_half_a_gibibyte_at_most():
    default = built({}, Path("/etc/exporter"))
    given = built({"spool": {"path": "../spool", "limit": "2MiB"}, "late": "1h"}, Path("/etc/exporter"))

    assert default.spool.path == Path("/etc/exporter/chatterfy-exporter.spool.sqlite")
    assert (default.spool.limit, default.late) == (512 * 1024**2, 300)
    assert given.spool.path == Path("/etc/exporter/../spool")
    assert (given.spool.limit, given.late) == (2 * 1024**2, 3600)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"spool": {"limit": "1B"}}, "spool.limit: "),
        ({"spool": {"path": 5}}, "spool.path: expected a path, got 5"),
        ({"late": "2d"}, "late: "),
        ({"spool": 5}, "spool: expected a mapping"),
    ],
)
def test_what_cannot_be_is_told(data, message):
    with pytest.raises(ConfigError) as problems:
        built(data, Path())

    assert message in str(problems.value)
