"""What the measure of received events sends, and what it reads on the page."""

import json

import pytest

from bench.measures.ingest import BATCH, kept, row, sendings
from bench.programs.envelope import ROUND, main
from bench.receivers import Found
from exporter.ingest.app_events import APP_EVENTS

pytestmark = pytest.mark.fast

PAGE = """# TYPE chatterfy_events_total counter
chatterfy_events_total{event="chat_message"} 7.0
chatterfy_events_total{event="user_signup"} 3.0
chatterfy_ingest_kept_rows_total{table="business_event",where="database"} 6.0
chatterfy_ingest_kept_rows_total{table="business_event",where="spool"} 4.0
"""


def test_what_is_sent_are_events_as_the_app_has_them(tmp_path):
    sent = sendings(tmp_path)

    single, batch = (json.loads(sent[name].body.read_text()) for name in ("single", "batch"))
    APP_EVENTS[single["event"]].check(single["data"])
    assert batch == [single] * BATCH
    assert sent["batch"].events == BATCH


def test_the_envelope_is_one_of_three_and_a_half_kilobytes_and_can_be_counted(tmp_path, capsys):
    body = sendings(tmp_path)["envelope"].body.read_bytes()
    main(body, 2)

    assert 3400 < len(body) < 3700
    assert 0 < json.loads(capsys.readouterr().out)["cpu"] < ROUND


def test_the_page_tells_what_was_accepted_and_what_had_to_wait():
    assert kept(PAGE) == (10, 4)


def test_a_way_is_shown_by_its_medians():
    runs = [Found(0.0005, 0.002, 0.009), Found(0.0004, 0.003, 0.007), Found(0.0001, 0.001, 0.008)]

    assert row("it", runs) == ("it", "2,500", "2.00 ms", "8.00 ms")
