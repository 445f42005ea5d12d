"""The option --outage."""

import pytest

from exporter.demo.outages import Outage, Plan, parse

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("name", ["database", "hang", "api", "stripe", "s3", "slow", "errors", "churn"])
def test_an_outage_alone_lasts_until_the_end(name):
    assert parse(name) == Plan(Outage(name), None)


def test_an_outage_can_have_a_length_in_seconds():
    assert parse("stripe:20") == Plan(Outage.STRIPE, 20.0)


@pytest.mark.parametrize("text", ["", "redis", "Stripe", "stripes:20", ":20"])
def test_an_unknown_outage_is_answered_with_those_there_are(text):
    with pytest.raises(ValueError, match="expected") as raised:
        parse(text)

    assert str(raised.value) == (
        f"expected one of database, hang, api, stripe, s3, slow, errors, churn, optionally with :SECONDS, got '{text}'"
    )


@pytest.mark.parametrize("seconds", ["", "0", "-5", "20s", "1.5", "soon"])
def test_a_length_that_is_no_number_of_seconds_is_refused(seconds):
    with pytest.raises(ValueError, match="expected") as raised:
        parse(f"api:{seconds}")

    assert str(raised.value) == f"expected whole seconds after 'api:', as in api:20, got '{seconds}'"
