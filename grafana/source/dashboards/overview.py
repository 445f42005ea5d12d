"""Overview: is it fine? The engineer's answer in the first rows, the founder's in the last."""

from grafana.source.facade import ORANGE, RED, STATE, Dashboard, Graph, Limit, Query, Row, Stat
from grafana.source.promql import gained, of, received_in, received_quantile, reported, total
from grafana.source.vitals import VITALS

UP = of("environment:chatterfy_up:min")
CANCELLED = of("environment:chatterfy_subscriptions_cancelled:sum")
LEFT = f"{CANCELLED} - min_over_time({CANCELLED}[30d])"
ACTIVE = total("chatterfy_subscriptions", "environment", status="active")
FIRING = 'ALERTS{{environment=~"(vercel-)?$environment|", alertstate="firing", severity="{}"}}'
LATENCY = "environment:chatterfy_http_request_duration_seconds"
ERRORS_IN_SENTRY = reported("chatterfy_sentry_events_total", level="error|fatal")
OBJECTIVE = {"slow": Limit(2, color=ORANGE), "errors": Limit(0.001, color=ORANGE), "uptime": Limit(0.999, color=RED)}

FINE = Row(
    "Is it fine?",
    4,
    [
        Stat(
            title="Availability, 30 days",
            about="Share of the last 30 days in which every critical probe was up. The objective is 99.9 %.",
            queries=[Query(f"1 - {of('slo:sli_error:ratio_rate30d', slo='uptime')}", last=True)],
            unit="percentunit",
            width=4,
            decimals=3,
            limits=[OBJECTIVE["uptime"]],
            bad_below=True,
            more="dependencies",
        ),
        Stat(
            title="Uptime, 24 hours",
            about="Share of the last 24 hours in which every critical probe was up. The objective is 99.9 %.",
            queries=[Query(f"avg_over_time({UP}[1d])", last=True)],
            unit="percentunit",
            width=4,
            decimals=2,
            limits=[OBJECTIVE["uptime"]],
            bad_below=True,
            more="dependencies",
        ),
        Stat(
            title="Response time, p95",
            about="95 % of the API's requests of the last 5 minutes were answered faster. The objective is 2 s.",
            queries=[Query(of(f"{LATENCY}:p95_rate5m"))],
            unit="s",
            width=4,
            decimals=2,
            limits=[OBJECTIVE["slow"]],
            line=True,
            more="api",
        ),
        Stat(
            title="Requests that fail",
            about="Share of the API's requests of the last 5 minutes that were answered with 500 or above. The "
            "objective is 0.1 %; from 5 % on it is an outage.",
            queries=[Query(of("environment:chatterfy_http_errors:ratio_rate5m"))],
            unit="percentunit",
            width=4,
            decimals=2,
            limits=[OBJECTIVE["errors"], Limit(0.05, "ErrorShareHigh", RED)],
            line=True,
            more="api",
        ),
        Stat(
            title="Error budget left",
            about="What is left of the 30 days' error budget, for each objective; below 0 the objective was missed.",
            queries=[Query(of("slo:period_error_budget_remaining:ratio"), "{{slo}}", last=True)],
            unit="percentunit",
            width=5,
            decimals=0,
            limits=[Limit(0, color=RED)],
            bad_below=True,
            more="api",
        ),
        Stat(
            title="Alerts firing",
            about="Critical alerts and warnings that fire now.",
            queries=[
                Query(f"count({FIRING.format('critical')}) or vector(0)", "critical", last=True),
                Query(f"count({FIRING.format('warning')}) or vector(0)", "warning", last=True),
            ],
            unit="none",
            width=3,
            limits=[Limit(1)],
            more="alerts",
        ),
    ],
)

DEPENDENCIES = Row(
    "Dependencies",
    4,
    [
        Stat(
            title="What the app depends on",
            about="Each probe's last result, as the worst of the exporter's replicas has it.",
            queries=[Query(f"min by (probe) ({of('chatterfy_probe_success')})", "{{probe}}", last=True)],
            unit="none",
            width=24,
            states=STATE,
            limits=[],
            filled=True,
            more="dependencies",
        )
    ],
)

FELT = Row(
    "What users feel, in their browsers",
    4,
    [
        *(
            Stat(
                title=f"{vital.title}, p75",
                about=f"{vital.about} Three quarters of the page loads of an hour were better. {vital.words}",
                queries=[Query(received_quantile(0.75, vital.metric, "", "1h", vital=name))],
                unit=vital.unit,
                width=4,
                decimals=2,
                line=True,
                limits=vital.limits,
                nothing="no browser has told",
                more="api",
            )
            for name, vital in VITALS.items()
        ),
        Stat(
            title="Chat answer, p95",
            about="95 % of the chats' answers of the last 10 minutes were complete faster, as browsers measured it; "
            "above 30 s for one of the providers an alert fires.",
            queries=[Query(received_quantile(0.95, "chatterfy_chat_response_seconds", "", "10m"))],
            unit="s",
            width=4,
            decimals=2,
            line=True,
            limits=[Limit(30, "ChatResponsesSlow", RED)],
            nothing="no browser has told",
            more="chat",
        ),
        Stat(
            title="Errors in Sentry",
            about="Errors and crashes that the apps reported to Sentry within an hour.",
            queries=[Query(received_in("1h", ERRORS_IN_SENTRY, "job"))],
            unit="short",
            width=4,
            decimals=0,
            line=True,
            good="blue",
            nothing="Sentry is not received",
            more="api",
        ),
        Stat(
            title="Last deploy",
            about="How long ago a version of the app was last deployed; purple lines mark when.",
            queries=[Query(f"time() - max(max_over_time({of('chatterfy_deploy_timestamp_seconds')}[30d]))", last=True)],
            unit="s",
            width=4,
            decimals=1,
            good="text",
            nothing="none was told of",
            more="alerts",
        ),
    ],
)

SIGNALS = Row(
    "Golden signals",
    10,
    [
        Graph(
            title="Traffic",
            about="Requests a second that the API's log has, over 5 minutes.",
            queries=[Query(of("environment:chatterfy_http_requests:rate5m"), "requests")],
            unit="reqps",
            width=6,
            more="api",
        ),
        Graph(
            title="Errors",
            about="Share of requests answered with 500 or above, over 5 minutes.",
            queries=[Query(of("environment:chatterfy_http_errors:ratio_rate5m"), "failed")],
            unit="percentunit",
            width=6,
            limits=[Limit(0.05, "ErrorShareHigh", RED)],
            colors={"^failed$": RED},
            more="api",
        ),
        Graph(
            title="Latency",
            about="How long the API takes to answer: half of the requests, 95 % and 99 % of them are faster.",
            queries=[Query(of(f"{LATENCY}:{share}_rate5m"), share) for share in ("p50", "p95", "p99")],
            unit="s",
            width=6,
            limits=[OBJECTIVE["slow"]],
            more="api",
        ),
        Graph(
            title="Saturation",
            about="Share of the database's client connections that are in use; from 80 % on, it is time to act.",
            queries=[
                Query(
                    f"max by (probe) ({of('chatterfy_postgres_connections')} / "
                    f"{of('chatterfy_postgres_connections_max')})",
                    "{{probe}}",
                )
            ],
            unit="percentunit",
            width=6,
            limits=[Limit(0.8, "DatabaseConnectionsHigh", ORANGE)],
            more="dependencies",
        ),
    ],
)

BUDGET = Row(
    "Objectives",
    9,
    [
        Graph(
            title="Burn rate over an hour",
            about="How many times faster than it may the error budget is used: at 1 it lasts just 30 days, at 14.4 two "
            "days.",
            queries=[
                Query(
                    f"{of('slo:sli_error:ratio_rate1h')} / on (slo) group_left () "
                    "max by (slo) (slo:error_budget:ratio)",
                    "{{slo}}",
                )
            ],
            unit="none",
            width=12,
            decimals=1,
            limits=[Limit(14.4, "SloBurnRateFast", RED)],
            more="api",
            calcs=(),
        ),
        Graph(
            title="Error budget over time",
            about="What is left of the 30 days' error budget, for each objective; below 0 the objective was missed.",
            queries=[Query(of("slo:period_error_budget_remaining:ratio"), "{{slo}}")],
            unit="percentunit",
            width=12,
            minimum=None,
            maximum=1,
            limits=[Limit(0, color=RED)],
            bad_below=True,
            more="api",
            calcs=(),
        ),
    ],
)

FOUNDER = Row(
    "Business",
    5,
    [
        Stat(
            title="Signups, 24 hours",
            about="Users who signed up within the last 24 hours.",
            queries=[Query(gained("chatterfy_signups_total", "environment", "1d"))],
            unit="short",
            width=5,
            line=True,
            step="5m",
            good="blue",
            more="business",
        ),
        Stat(
            title="MRR",
            about="Monthly recurring revenue, of active and past due subscriptions.",
            queries=[Query(total("chatterfy_mrr_usd", "environment"))],
            unit="currencyUSD",
            width=5,
            line=True,
            step="5m",
            good="blue",
            more="business",
        ),
        Stat(
            title="Churn, 30 days",
            about="Subscriptions cancelled within 30 days, as a share of those and the ones that are active now.",
            queries=[
                Query(f"({LEFT}) / (({LEFT}) + {ACTIVE} > 0)"),
            ],
            unit="percentunit",
            width=5,
            decimals=1,
            line=True,
            step="5m",
            good="blue",
            more="business",
        ),
        Stat(
            title="Active organisations, 7 days",
            about="Organisations whose users wrote a message within the last 7 days.",
            queries=[Query(f"max by (environment) ({of('chatterfy_active_orgs', window='7d')})")],
            unit="short",
            width=5,
            line=True,
            step="5m",
            good="blue",
            more="business",
        ),
        Stat(
            title="Model cost, 24 hours",
            about="What the models' providers cost within the last 24 hours.",
            queries=[Query(gained("chatterfy_usage_cost_usd_total", "environment", "1d"))],
            unit="currencyUSD",
            width=4,
            line=True,
            step="5m",
            good="blue",
            more="chat",
        ),
    ],
)

SCREEN = Dashboard(
    name="overview",
    title="Overview",
    about="Is it fine? Health, golden signals and objectives for who is on call; signups, MRR, churn and cost for the "
    "founder.",
    since="6h",
    variables=[],
    rows=[FINE, DEPENDENCIES, FELT, SIGNALS, BUDGET, FOUNDER],
)
