"""Alerts: what fires now, what fired when, what was deployed then, whether messages leave, and what is noise."""

from grafana.source.facade import (
    BLUE,
    GREEN,
    RED,
    Column,
    Dashboard,
    Graph,
    Limit,
    Query,
    Row,
    Stat,
    Table,
    Timeline,
)
from grafana.source.promql import of, received_in

HERE = 'environment=~"(vercel-)?$environment|", alertname!="Watchdog"'
"""Alerts of this environment, also by Vercel's word for it, and those of none: what is not there has no labels."""
FIRING = f'ALERTS{{{HERE}, alertstate="firing"}}'
EACH = "by (alertname, severity)"


def starts(by: str, alerts: str) -> str:
    """How often these alerts began to fire within 7 days: in which two minutes one did that had not two before."""
    return f"count_over_time((max {by} ({alerts}) unless max {by} ({alerts} offset 2m))[7d:2m])"


def seconds(by: str, alerts: str) -> str:
    """For how long they fired within 7 days."""
    return f"count_over_time((max {by} ({alerts}))[7d:2m]) * 120"


CRITICAL = f'ALERTS{{{HERE}, alertstate="firing", severity="critical"}}'
TO_RESOLVE = f"sum({seconds('by (alertname)', CRITICAL)}) / sum({starts('by (alertname)', CRITICAL)})"
LAST_DEPLOYS = "topk(8, max by (version, environment) (max_over_time(chatterfy_deploy_timestamp_seconds[30d])))"
HEARTBEAT = of("chatterfy_alert_pipeline_last_seen_timestamp_seconds")
CHANNELS = "slack|email|webhook"
NOTIFICATIONS = of("alertmanager_notifications_total", integration=CHANNELS)
FAILED = of("alertmanager_notifications_failed_total", integration=CHANNELS)


def _fires(severity: str) -> str:
    return f'count(ALERTS{{{HERE}, alertstate="firing", severity="{severity}"}}) or vector(0)'


NOW = Row(
    "Now",
    4,
    [
        Stat(
            title="Critical",
            about="Critical alerts that fire now: users feel them.",
            queries=[Query(_fires("critical"), last=True)],
            unit="none",
            width=4,
            limits=[Limit(1, color=RED)],
            filled=True,
        ),
        Stat(
            title="Warnings",
            about="Warnings that fire now: somebody should look today.",
            queries=[Query(_fires("warning"), last=True)],
            unit="none",
            width=4,
            limits=[Limit(1)],
            filled=True,
        ),
        Stat(
            title="About to fire",
            about="Alerts whose condition holds, but not for long enough yet.",
            queries=[Query(f'count(ALERTS{{{HERE}, alertstate="pending"}}) or vector(0)', last=True)],
            unit="none",
            width=4,
            limits=[Limit(1)],
        ),
        Stat(
            title="Time to resolve, 7 days",
            about="How long a critical alert fired, on average over those of 7 days. The objective is 30 minutes.",
            queries=[Query(TO_RESOLVE, last=True)],
            unit="s",
            width=4,
            decimals=1,
            limits=[Limit(1800)],
            nothing="none fired",
        ),
        Stat(
            title="Last heartbeat",
            about="How long ago the Watchdog alert came back through Alertmanager. One is due every minute; after ten "
            "without one, alerts no longer find their way.",
            queries=[Query(f"time() - max({HEARTBEAT})", last=True)],
            unit="s",
            width=4,
            decimals=0,
            limits=[Limit(600, "AlertPipelineStale", RED)],
            nothing="alerts are not configured",
        ),
        Stat(
            title="Failed, last hour",
            about="Slack messages, mails and calls that Alertmanager gave up within an hour.",
            queries=[Query(f"sum(increase({FAILED}[1h]))", last=True)],
            unit="none",
            width=4,
            decimals=0,
            limits=[Limit(0, "AlertmanagerNotificationFailures", RED)],
        ),
    ],
)

LIST = Row(
    "Firing now",
    7,
    [
        Table(
            title="What fires, and what to do",
            about="Each alert that fires, what it is about, and for how long; the name leads to its runbook.",
            queries=[Query(f"(time() - ALERTS_FOR_STATE{{{HERE}}}) and ignoring (alertstate) {FIRING}", last=True)],
            unit="none",
            width=24,
            columns={
                "alertname": Column("Alert", url="${runbooks}/${__value.raw}"),
                "severity": Column("Severity", width=120),
                "probe": Column("Probe", width=160),
                "kind": Column("Kind", width=120),
                "endpoint": Column("Endpoint", width=220),
                "task": Column("Job", width=180),
                "query": Column("Query", width=160),
                "slo": Column("Objective", width=140),
                "integration": Column("Channel", width=120),
                "vendor": Column("Vendor", width=120),
                "project": Column("Project", width=120),
                "receiver": Column("Receiver", width=120),
                "provider": Column("Provider", width=120),
                "page": Column("Page", width=160),
                "vital": Column("Vital", width=100),
                "reason": Column("Reason", width=120),
                "Value": Column("For", "s", 140, decimals=1),
            },
            sort="For",
            nothing="nothing fires",
        )
    ],
)

PAST = Row(
    "When",
    13,
    [
        Timeline(
            title="What fired when",
            about="Each alert that fired, over time.",
            queries=[Query(f"max by (alertname) ({FIRING})", "{{alertname}}")],
            unit="none",
            width=24,
            states={1: ("firing", RED)},
            nothing="nothing fired",
        )
    ],
)

DEPLOYS = Row(
    "Deploys",
    10,
    [
        Table(
            title="What was deployed when",
            about="The last eight deploys that succeeded, of all environments; purple lines mark those of the one "
            "that is chosen.",
            queries=[Query(f"{LAST_DEPLOYS} * 1000", last=True), Query(f"time() - {LAST_DEPLOYS}", last=True)],
            unit="none",
            width=12,
            columns={
                "version": Column("Version"),
                "environment": Column("Environment", width=160),
                "Value #A": Column("When", "dateTimeAsIso", 200),
                "Value #B": Column("Ago", "s", 120, decimals=1),
            },
            sort="When",
            nothing="no deploy was told of",
        ),
        Stat(
            title="Deploys of 7 days",
            about="Deploys within 7 days, by how they ended.",
            queries=[Query(received_in("7d", of("chatterfy_deploys_total"), "status"), "{{status}}", last=True)],
            unit="none",
            width=4,
            decimals=0,
            good=BLUE,
            nothing="no deploy was told of",
        ),
        Graph(
            title="Notices of deploys",
            about="Notices an hour for Slack, Grafana and Sentry, and those that were not taken.",
            queries=[
                Query(received_in("1h", of("chatterfy_deploy_notices_total"), "receiver"), "to {{receiver}}"),
                Query(
                    received_in("1h", of("chatterfy_deploy_notice_failures_total"), "receiver"),
                    "not taken by {{receiver}}",
                ),
            ],
            unit="short",
            width=8,
            step="1h",
            limits=[Limit(0, "DeployNoticeFailed")],
            colors={"^not taken": RED},
            nothing="nobody is to be told",
            calcs=(),
        ),
    ],
)

MESSAGES = Row(
    "Messages",
    10,
    [
        Graph(
            title="Sent",
            about="Messages an hour that Alertmanager sent, by channel; those to the exporter are for Sentry, and for "
            "the heartbeat.",
            queries=[
                Query(f"sum by (integration) (rate({NOTIFICATIONS}[$__rate_interval])) * 3600", "{{integration}}"),
            ],
            unit="short",
            width=8,
            calcs=["mean", "max"],
        ),
        Graph(
            title="Failed",
            about="Messages an hour that Alertmanager gave up, by channel: any is one too many.",
            queries=[Query(f"sum by (integration) (rate({FAILED}[$__rate_interval])) * 3600", "{{integration}}")],
            unit="short",
            width=8,
            calcs=["mean", "max"],
            limits=[Limit(0, "AlertmanagerNotificationFailures", RED)],
        ),
        Graph(
            title="To Sentry",
            about="Alerts an hour that the exporter received from Alertmanager, and what Sentry took of them and did "
            "not.",
            queries=[
                Query(f"sum(rate({of(metric)}[$__rate_interval])) * 3600", name)
                for metric, name in (
                    ("chatterfy_alerts_received_total", "received"),
                    ("chatterfy_alerts_sentry_total", "taken"),
                    ("chatterfy_alerts_sentry_failures_total", "not taken"),
                )
            ],
            unit="short",
            width=8,
            calcs=["mean", "max"],
            colors={"^not taken": RED, "^taken": GREEN, "^received": BLUE},
        ),
    ],
)

NOISE = Row(
    "The week",
    23,
    [
        Table(
            title="Noisiest of 7 days",
            about="How often each alert fired within 7 days, for how long in all, and how long it took to resolve on "
            "average. What fires often and is resolved by itself should be mended, or made quieter.",
            queries=[
                Query(starts(EACH, FIRING), last=True),
                Query(seconds(EACH, FIRING), last=True),
                Query(f"{seconds(EACH, FIRING)} / {starts(EACH, FIRING)}", last=True),
            ],
            unit="none",
            width=24,
            columns={
                "alertname": Column("Alert", url="${runbooks}/${__value.raw}"),
                "severity": Column("Severity", width=140),
                "Value #A": Column("Times", "none", 120),
                "Value #B": Column("In all", "s", 160, decimals=1),
                "Value #C": Column("To resolve", "s", 160, decimals=1),
            },
            sort="Times",
            nothing="nothing fired",
        )
    ],
)

SCREEN = Dashboard(
    name="alerts",
    title="Alerts",
    about="What fires, what fired when, what was deployed when, whether messages leave, and which alerts are noise.",
    since="7d",
    variables=[],
    rows=[NOW, LIST, PAST, DEPLOYS, MESSAGES, NOISE],
)
