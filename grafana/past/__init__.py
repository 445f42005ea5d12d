"""Thirty days of lifelike data for a real Prometheus: what the dashboards are tested over and drawn from.

The exporter's metrics are made up by a story (story.py) and the demo's generator; what rules record and which alerts
they raise is asked of Prometheus itself, with the shipped rules. The same end gives the same samples.

Where it differs from what a Prometheus would have that had watched for thirty days:

- Samples are every 15 or 30 seconds near the end, and minutes apart long ago (grid.py). What has many series is there
  for the last days alone: probes' durations and phases, jobs, recorded quantiles. `chatterfy_probe_success`, `up` and
  `environment:chatterfy_up:min` are evenly a minute apart, and ALERTS 15 seconds, so that means and counts over them
  are exact; means over other series weigh the last hours more.
- Rules are evaluated at such moments too, so an alert of days ago may begin or end four minutes late.
- A series that ends has no stale marker, which text cannot express: it is seen for five minutes more.
- An integration's failures are told by the story; all other notifications follow from the alerts by the shipped
  configuration of Alertmanager, without its repeats after a failure.
"""

from grafana.past.book import TARGET
from grafana.past.filling import fill
from grafana.past.memory import END, prometheus
from grafana.past.server import Programs

__all__ = ["END", "TARGET", "Programs", "fill", "prometheus"]
