"""The exporter's own jobs."""

import pytest
from structlog.testing import capture_logs

from exporter.errors import Failed
from exporter.jobs import PageRefresh, Task
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from exporter.schedule import Outcome, Scheduler
from tests.support.running import running, value

pytestmark = pytest.mark.fast


async def test_a_task_counts_its_runs_and_failures_by_reason_and_goes_on(clock):
    outcomes = iter([None, Failed("query", "no such column"), None])

    async def work():
        if error := next(outcomes):
            raise error

    store = Store(100)
    page = Page(store)
    scheduler = Scheduler(clock, limit=1, random=lambda: 0.0)
    task = Task("count", interval=10, timeout=5, work=work, store=store)
    with capture_logs() as logs:
        scheduler.start(task)
        await clock.advance(21)
        await page.refresh()
        text = page.text.plain.decode()
        await scheduler.close()
    await page.refresh()

    assert "_timestamp_seconds{" not in page.text.plain.decode()
    assert value(text, 'chatterfy_job_interval_seconds{task="count"}') == 10
    assert value(text, 'chatterfy_job_runs_total{task="count"}') == 3
    assert value(text, 'chatterfy_job_failures_total{reason="query",task="count"}') == 1
    assert value(text, 'chatterfy_job_failures_total{reason="timeout",task="count"}') == 0
    assert value(text, 'chatterfy_job_last_success_timestamp_seconds{task="count"}') == clock.wall + 20
    assert [(entry["event"], entry["reason"], entry["detail"]) for entry in logs] == [
        ("job.failed", "query", "no such column")
    ]
    assert [result.reason for result in task.state.history()] == [None, "query", None]


async def test_a_page_that_cannot_be_rendered_is_told(clock):
    refresh = PageRefresh(Page(Store(1)))

    with capture_logs() as logs:
        refresh.settle(Outcome(0, 30, "timeout", "no answer within 30 s"))
        refresh.settle(Outcome(0, 0.1))

    assert [(entry["event"], entry["reason"]) for entry in logs] == [("page.failed", "timeout")]


async def test_a_probe_may_be_called_as_something_of_the_exporter_s_own(config, unused_tcp_port):
    names = ("build", "config", "process")
    probes = "".join(f"  {name}: {{kind: tcp, host: 127.0.0.1, port: {unused_tcp_port}}}\n" for name in names)

    async with running(config(f"listen: 127.0.0.1:0\nprobes:\n{probes}"), {}) as it:
        page = await it.until(
            lambda page: all(
                value(page, f'chatterfy_probe_success{{kind="tcp",probe="{name}"}}') == 0 for name in names
            )
        )

    assert "\nchatterfy_build_info{" in page
    assert value(page, "chatterfy_config_last_reload_successful") == 1
    assert value(page, "process_resident_memory_bytes") > 0
