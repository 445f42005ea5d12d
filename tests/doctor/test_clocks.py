"""Clocks that differ: the doctor's own one is set forward and back."""

import re

import pytest

from tests.support.alertmanager import alertmanager
from tests.support.doctor import Skewed, Urls, doctor, grafana, prometheus
from tests.support.servers import answer, raw_server


@pytest.mark.parametrize(("ahead", "how"), [(30, "(2[5-9]|30) s behind"), (-30, "(2[5-9]|30|31) s ahead of")])
async def test_every_server_s_clock_is_held_against_ours(tmp_path, exporter, ahead, how):
    async with (
        exporter("") as watched,
        prometheus(tmp_path, {}) as url,
        alertmanager(tmp_path, {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}) as notified,
        grafana(url) as front,
    ):
        urls: Urls = {"exporter": watched.url, "prometheus": url, "alertmanager": notified.url, "grafana": front.url}
        report = await doctor(urls, clock=Skewed(ahead))

    said = [line for line in report.wrong if "clock" in line or "time()" in line]
    assert [line.split(":")[0].split()[1] for line in said] == [
        "exporter", "prometheus", "prometheus", "alertmanager", "grafana"
    ]  # fmt: skip
    for line in said:
        assert_matches(rf"its (clock|time\(\)) is {how} this machine's: let NTP set the clocks of both machines", line)


def assert_matches(pattern: str, line: str) -> None:
    __tracebackhide__ = True
    assert re.search(pattern, line), line


@pytest.mark.fast
async def test_five_seconds_are_not_told(exporter):
    async with exporter("alerts: {token: {env: TOKEN}}", TOKEN="x") as watched:
        ahead = await doctor({"exporter": watched.url}, clock=Skewed(4))
        behind = await doctor({"exporter": watched.url}, clock=Skewed(-4))

    assert ahead.well
    assert behind.well


@pytest.mark.fast
@pytest.mark.parametrize("date", [b"", b"Date: yesterday\r\n", b"Date: Fri, 99 Dec 9999 99:99:99 GMT\r\n"])
async def test_an_answer_without_a_usable_date_is_told(date):
    async with raw_server(answer(b"HTTP/1.1 200 OK\r\n" + date + b"Content-Length: 0\r\n\r\n")) as port:
        url = f"http://127.0.0.1:{port}"
        report = await doctor({"alertmanager": url})

    assert f"wrong alertmanager: {url}/-/ready: the answer has no usable header Date: " in report.text
