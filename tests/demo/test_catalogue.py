"""What the toy product offers."""

import pytest

from exporter.demo import catalogue

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("name", ["SOURCES", "REASONS", "FILE_TYPES", "PLANS", "MODELS", "ENDPOINTS"])
def test_the_weights_fill_the_slots_that_sql_draws_from(name):
    assert len(getattr(catalogue, name)) == 100
