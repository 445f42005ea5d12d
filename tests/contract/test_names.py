"""Names that dashboards, rules and users build on: they may grow, and never change."""

import re

import pytest

from exporter.app import App  # noqa: F401  (declares every metric)
from exporter.metrics.catalogue import CATALOGUE

pytestmark = pytest.mark.fast

PROBE = ("probe", "kind")
CONTRACT = {
    "chatterfy_probe_success": ("gauge", PROBE),
    "chatterfy_probe_duration_seconds": ("histogram", PROBE),
    "chatterfy_probe_phase_seconds": ("gauge", (*PROBE, "phase")),
    "chatterfy_probe_runs_total": ("counter", PROBE),
    "chatterfy_probe_failures_total": ("counter", (*PROBE, "reason")),
    "chatterfy_probe_last_run_timestamp_seconds": ("gauge", PROBE),
    "chatterfy_probe_last_success_timestamp_seconds": ("gauge", PROBE),
    "chatterfy_probe_critical": ("gauge", PROBE),
    "chatterfy_probe_permitted": ("gauge", PROBE),
    "chatterfy_probe_http_status_code": ("gauge", PROBE),
    "chatterfy_probe_tls_certificate_expiry_timestamp_seconds": ("gauge", PROBE),
    "chatterfy_build_info": ("gauge", ("version", "revision")),
    "chatterfy_job_runs_total": ("counter", ("task",)),
    "chatterfy_job_failures_total": ("counter", ("task", "reason")),
    "chatterfy_job_duration_seconds": ("histogram", ("task",)),
    "chatterfy_job_last_success_timestamp_seconds": ("gauge", ("task",)),
    "chatterfy_series_dropped_total": ("counter", ("metric",)),
    "chatterfy_config_last_reload_successful": ("gauge", ()),
    "chatterfy_config_last_reload_success_timestamp_seconds": ("gauge", ()),
    "chatterfy_chat_response_seconds": ("histogram", ("provider", "model")),
    "chatterfy_events_total": ("counter", ("event",)),
    "chatterfy_ingest_rejected_total": ("counter", ("endpoint", "reason")),
    "chatterfy_web_vital_seconds": ("histogram", ("vital", "page")),
    "chatterfy_web_vital_score": ("histogram", ("vital", "page")),
    "chatterfy_sentry_events_total": ("counter", ("project", "level", "environment")),
    "chatterfy_sentry_outcomes_total": ("counter", ("reason", "category")),
    "chatterfy_posthog_events_total": ("counter", ("event",)),
    "chatterfy_deploy_timestamp_seconds": ("gauge", ("version", "environment")),
    "chatterfy_alert_pipeline_last_seen_timestamp_seconds": ("gauge", ()),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contract_is_kept(name):
    metric = CATALOGUE[name]

    assert (metric.kind, metric.labels) == CONTRACT[name]


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=lambda metric: metric.name)
def test_every_metric_explains_itself_and_uses_no_label_that_prometheus_takes(metric):
    assert re.fullmatch(r"[A-Z].*\.", metric.help, re.DOTALL)
    assert not {"job", "instance", "type", "env", "service"} & set(metric.labels)


def test_probe_durations_can_be_told_apart_from_5_ms_to_30_s():
    buckets = CATALOGUE["chatterfy_probe_duration_seconds"].buckets

    assert (buckets[0], buckets[-1]) == (0.005, 30)
