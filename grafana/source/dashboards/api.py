"""API: how many requests, how many of them fail, how long they take; and what Sentry and the browsers see of it."""

from grafana.source.facade import (
    ORANGE,
    RED,
    Column,
    Dashboard,
    Graph,
    Heatmap,
    Limit,
    Query,
    Ranking,
    Row,
    Stat,
    Table,
    Variable,
    alone,
)
from grafana.source.promql import gained, of, quantile, rate
from grafana.source.rows.browsers import BROWSERS
from grafana.source.rows.sentry import EACH, EVENTS, SENTRY, TRANSACTIONS

REQUESTS = "chatterfy_http_requests_total"
DURATION = "chatterfy_http_request_duration_seconds"
LATENCY = f"environment:{DURATION}"
BY_ENDPOINT = f"environment_endpoint:{DURATION}"
ERRORS = of("environment:chatterfy_http_errors:sum")
SHARE_LIMITS = [Limit(0.05, "EndpointErrorShareHigh", RED)]
SLOW = Limit(2, color=ORANGE)
STATUS_COLORS = {"^4": ORANGE, "^5": RED}

BY_STATUS = gained(REQUESTS, "status", "$__interval", "endpoint", status="4..|5..")
OVER_FIVE = (
    f"({rate(f'{DURATION}_count', 'endpoint', 'endpoint')} - "
    f"{rate(f'{DURATION}_bucket', 'endpoint', 'endpoint', le='5.0')}) * 60"
)
"""A minute."""

NOW = Row(
    "Now",
    4,
    [
        Stat(
            title="Requests",
            about="Requests a second of all endpoints, over 5 minutes.",
            queries=[Query(of("environment:chatterfy_http_requests:rate5m"))],
            unit="reqps",
            width=4,
            line=True,
            good="blue",
        ),
        Stat(
            title="Requests that fail",
            about="Share of the requests of 5 minutes that were answered with 500 or above.",
            queries=[Query(of("environment:chatterfy_http_errors:ratio_rate5m"))],
            unit="percentunit",
            width=4,
            decimals=2,
            line=True,
            limits=[Limit(0.001), Limit(0.05, "ErrorShareHigh", RED)],
        ),
        Stat(
            title="Errors in 5 minutes",
            about="Requests answered with 500 or above within 5 minutes; more than 10 are too many, however many there "
            "were in all.",
            queries=[Query(f"{ERRORS} - min_over_time({ERRORS}[5m])")],
            unit="none",
            width=4,
            line=True,
            limits=[Limit(10, "HighErrorCount", RED)],
        ),
        Stat(
            title="Mean response time",
            about="What a request of the last 5 minutes took on average; above 5 s is too slow.",
            queries=[Query(of(f"{LATENCY}:mean_rate5m"))],
            unit="s",
            width=4,
            decimals=2,
            line=True,
            limits=[Limit(5, "SlowResponses")],
        ),
        Stat(
            title="Response time, p95",
            about="95 % of the requests of the last 5 minutes were answered faster. The objective is 2 s.",
            queries=[Query(of(f"{LATENCY}:p95_rate5m"))],
            unit="s",
            width=4,
            decimals=2,
            line=True,
            limits=[SLOW],
        ),
        Stat(
            title="Slower than 2 s",
            about="Share of the requests of the last hour that took longer than 2 s. The objective allows 5 %.",
            queries=[Query(of("slo:sli_error:ratio_rate1h", slo="api-latency"))],
            unit="percentunit",
            width=4,
            decimals=2,
            line=True,
            limits=[Limit(0.05)],
        ),
    ],
)

ENDPOINTS = Row(
    "Endpoints",
    10,
    [
        Table(
            title="Each endpoint",
            about="Rate, errors and duration of each endpoint, over 5 minutes. A click on a name shows it alone.",
            queries=[
                Query(f"max by (endpoint) ({of(recorded, 'endpoint')})", last=True)
                for recorded in (
                    "environment_endpoint:chatterfy_http_requests:rate5m",
                    "environment_endpoint:chatterfy_http_errors:ratio_rate5m",
                    f"{BY_ENDPOINT}:p50_rate5m",
                    f"{BY_ENDPOINT}:p95_rate5m",
                    f"{BY_ENDPOINT}:p99_rate5m",
                )
            ],
            unit="none",
            width=16,
            columns={
                "endpoint": Column("Endpoint", url=alone("api", "endpoint")),
                "Value #A": Column("Requests", "reqps", 110, decimals=2),
                "Value #B": Column("Failed", "percentunit", 100, SHARE_LIMITS, decimals=2),
                "Value #C": Column("p50", "s", 90, [SLOW], decimals=2),
                "Value #D": Column("p95", "s", 90, [SLOW], decimals=2),
                "Value #E": Column("p99", "s", 90, [SLOW], decimals=2),
            },
            sort="Requests",
        ),
        Ranking(
            title="Ten slowest",
            about="The endpoints and methods of which 95 % of the requests of the last hour were faster than this; the "
            "slowest ten.",
            queries=[
                Query(
                    f"topk(10, {quantile(0.95, DURATION, 'endpoint, method', 'endpoint')} > 0)".replace(
                        "$__rate_interval", "1h"
                    ),
                    "{{method}} {{endpoint}}",
                    last=True,
                )
            ],
            unit="s",
            width=8,
            minimum=0,
            decimals=2,
            limits=[SLOW],
        ),
    ],
)

TRAFFIC = Row(
    "Rate and errors",
    8,
    [
        Graph(
            title="Requests by endpoint",
            about="Requests a second.",
            queries=[Query(rate(REQUESTS, "endpoint", "endpoint"), "{{endpoint}}")],
            unit="reqps",
            width=8,
            stacked=True,
            calcs=(),
        ),
        Graph(
            title="Errors by status",
            about="Requests within each bar's time that were answered with 400 or above: 4xx are the callers' "
            "mistakes, 5xx ours.",
            queries=[Query(BY_STATUS, "{{status}}")],
            unit="short",
            step="5m",
            width=8,
            bars=True,
            stacked=True,
            colors=STATUS_COLORS,
            nothing="no errors",
            calcs=(),
        ),
        Graph(
            title="Failed, by endpoint",
            about="Share of the requests that were answered with 500 or above, over 5 minutes.",
            queries=[
                Query(of("environment_endpoint:chatterfy_http_errors:ratio_rate5m", "endpoint"), "{{endpoint}}"),
            ],
            unit="percentunit",
            width=8,
            limits=SHARE_LIMITS,
            calcs=(),
        ),
    ],
)

DURATIONS = Row(
    "Duration",
    9,
    [
        Graph(
            title="Percentiles",
            about="Half of the requests, 95 % and 99 % of them are faster.",
            queries=[
                Query(quantile(share, DURATION, "", "endpoint"), name)
                for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ],
            unit="s",
            width=8,
            limits=[SLOW],
        ),
        Graph(
            title="p95 by endpoint",
            about="95 % of the endpoint's requests of the last 5 minutes are faster.",
            queries=[Query(of(f"{BY_ENDPOINT}:p95_rate5m", "endpoint"), "{{endpoint}}")],
            unit="s",
            width=8,
            limits=[SLOW],
            calcs=(),
        ),
        Graph(
            title="Slower than 5 s",
            about="Requests a minute that took longer than 5 seconds: somebody waited, and perhaps left.",
            queries=[Query(OVER_FIVE, "{{endpoint}}")],
            unit="reqpm",
            width=8,
            bars=True,
            stacked=True,
            calcs=(),
        ),
    ],
)

SPREAD = Row(
    "Spread and objectives",
    9,
    [
        Heatmap(
            title="Durations",
            about="How many requests a second took how long: the brighter, the more.",
            queries=[Query(rate(f"{DURATION}_bucket", "le", "endpoint"), "{{le}}")],
            unit="s",
            width=12,
            step="1m",
        ),
        Graph(
            title="Burn rate over an hour",
            about="How many times faster than it may the error budget is used: at 1 it lasts just 30 days, at 14.4 two "
            "days.",
            queries=[
                Query(
                    f"{of('slo:sli_error:ratio_rate1h', slo='api-.+')} / on (slo) group_left () "
                    "max by (slo) (slo:error_budget:ratio)",
                    "{{slo}}",
                )
            ],
            unit="none",
            width=12,
            decimals=1,
            limits=[Limit(14.4, "SloBurnRateFast", RED)],
        ),
    ],
)

SCREEN = Dashboard(
    name="api",
    title="API",
    about="Rate, errors and duration of the API's requests, in all and for each endpoint, from its own request log; "
    "what the apps report to Sentry, and what browsers see of the pages.",
    since="6h",
    variables=[
        Variable("endpoint", REQUESTS),
        Variable("project", EVENTS),
        Variable("page", "chatterfy_web_vital_seconds_count"),
    ],
    rows=[NOW, ENDPOINTS, TRAFFIC, DURATIONS, SPREAD, SENTRY, TRANSACTIONS, EACH, BROWSERS],
)
