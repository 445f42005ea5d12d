"""Events that a configuration declares are live metrics, within their caps."""

import pytest

from tests.support.keeping import keeping
from tests.support.running import value

pytestmark = pytest.mark.fast

DECLARED = {
    "upgrade": {"labels": {"plan": ["PRO", "TEAM"], "campaign": {"cap": 2}}, "help": "Upgrades."},
    "refund": {"value": "cents", "labels": {"plan": ["PRO"]}},
    "export_seconds": {"metric": "histogram", "value": "seconds", "buckets": [1, 10]},
    "opened": {},
}


@pytest.fixture
async def it(unused_tcp_port, tmp_path):
    nowhere = f"postgresql://u:p@127.0.0.1:{unused_tcp_port}/d"
    async with keeping(nowhere, tmp_path, sections={"events": {"declare": DECLARED}}) as it:
        yield it


async def test_labels_take_what_is_declared_and_what_comes_first_and_the_rest_is_other(it):
    for plan, campaign in (("PRO", "a"), ("FREE", "b"), ("TEAM", "c"), (None, 5), ("PRO", True)):
        answer = await it.post({"event": "upgrade", "data": {"plan": plan, "campaign": campaign}})
        assert answer[0] == 202
    page = await it.page()

    series = [line for line in page.splitlines() if line.startswith("chatterfy_event_upgrade_total")]
    assert series == [
        'chatterfy_event_upgrade_total{campaign="a",plan="PRO"} 1.0',
        'chatterfy_event_upgrade_total{campaign="b",plan="other"} 1.0',
        'chatterfy_event_upgrade_total{campaign="other",plan="TEAM"} 1.0',
        'chatterfy_event_upgrade_total{campaign="other",plan="unknown"} 1.0',
        'chatterfy_event_upgrade_total{campaign="other",plan="PRO"} 1.0',
    ]
    assert "# HELP chatterfy_event_upgrade_total Upgrades." in page
    assert value(page, 'chatterfy_series_dropped_total{metric="chatterfy_event_upgrade_total"}') == 3
    assert value(page, 'chatterfy_events_total{event="upgrade"}') == 5


async def test_a_value_is_added_to_a_counter_or_observed_by_a_histogram(it):
    for cents in (500, 250.5):
        await it.post({"event": "refund", "data": {"plan": "PRO", "cents": cents}})
    await it.post([{"event": "export_seconds", "data": {"seconds": seconds}} for seconds in (0.5, 5, -3, 50)])
    page = await it.page()

    assert value(page, 'chatterfy_event_refund_total{plan="PRO"}') == 750.5
    assert value(page, 'chatterfy_event_export_seconds_bucket{le="1.0"}') == 2
    assert value(page, 'chatterfy_event_export_seconds_bucket{le="+Inf"}') == 4
    assert value(page, "chatterfy_event_export_seconds_sum") == 52.5


async def test_a_counter_is_there_before_its_first_event(it):
    page = await it.page()

    assert value(page, "chatterfy_event_opened_total") == 0
    assert value(page, 'chatterfy_events_total{event="opened"}') == 0


async def test_a_value_that_is_none_is_told(it):
    answers = [
        await it.post({"event": "refund", "data": {"plan": "PRO"}}),
        await it.post({"event": "refund", "data": {"cents": -1}}),
        await it.post({"event": "export_seconds", "data": {"seconds": "5"}}),
    ]

    assert answers == [
        (400, "events[0].data.cents: missing, expected a number of at least 0"),
        (400, "events[0].data.cents: expected a number of at least 0"),
        (400, "events[0].data.seconds: expected a number"),
    ]


async def test_what_is_sent_again_under_its_key_is_not_counted_again(it):
    event = {"event": "opened", "id": "one"}
    await it.post([event, {"event": "opened", "id": "two"}])
    await it.post([event, {"event": "user_signup", "id": "three", "data": {"userId": "u"}}])
    page = await it.page()

    assert value(page, "chatterfy_event_opened_total") == 2
    assert value(page, 'chatterfy_events_total{event="opened"}') == 2
    assert value(page, 'chatterfy_events_total{event="user_signup"}') == 1


async def test_label_sets_have_a_bound(unused_tcp_port, tmp_path):
    labels = {"a": {"cap": 200}, "b": {"cap": 200}}
    nowhere = f"postgresql://u:p@127.0.0.1:{unused_tcp_port}/d"
    async with keeping(nowhere, tmp_path, sections={"events": {"declare": {"wide": {"labels": labels}}}}) as it:
        for a in range(12):
            await it.post([{"event": "wide", "data": {"a": str(a), "b": str(b)}} for b in range(100)])
        page = await it.page()

    assert page.count("chatterfy_event_wide_total{") == 1001
    assert value(page, 'chatterfy_event_wide_total{a="other",b="other"}') == 200


async def test_a_metric_that_is_no_longer_declared_is_off_the_page(it):
    await it.post([{"event": "opened"}, {"event": "export_seconds", "data": {"seconds": 1}}])
    before = await it.page()
    await it.closing.aclose()
    after = await it.page()

    assert "chatterfy_event_" in before
    assert "chatterfy_event_" not in after
