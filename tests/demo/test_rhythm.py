"""The rhythm of a day, a week and a year."""

from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest

from exporter.demo.rhythm import rhythm, size

pytestmark = pytest.mark.fast

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def test_the_afternoon_is_busier_than_the_night():
    assert rhythm(MONDAY + timedelta(hours=15)) > 4 * rhythm(MONDAY + timedelta(hours=3))


def test_weekends_are_quieter():
    assert rhythm(MONDAY + timedelta(days=5, hours=12)) < 0.6 * rhythm(MONDAY + timedelta(hours=12))


def test_a_week_is_one_on_average():
    assert fmean(rhythm(MONDAY + timedelta(hours=hour)) for hour in range(7 * 24)) == pytest.approx(1, abs=0.001)


def test_the_product_grows():
    assert size(30) < size(1) < size(0) == 1
