"""Chat: what is asked of which model, how long it takes, and what it costs."""

from grafana.source.facade import (
    ORANGE,
    RED,
    Dashboard,
    Graph,
    Heatmap,
    Limit,
    Query,
    Ranking,
    Row,
    Share,
    Stat,
    Variable,
)
from grafana.source.promql import gained, of, quantile, rate, received, received_quantile

MESSAGES, TOKENS = "chatterfy_messages_total", "chatterfy_tokens_total"
COST = "chatterfy_usage_cost_usd_total"
CHOSEN = ("provider", "model")
DURATION = "chatterfy_http_request_duration_seconds"
ANSWERED = "chatterfy_chat_response_seconds"
ENDPOINT = ".*/chat/.*"
QUANTILES = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
COST_AN_HOUR = of("environment:chatterfy_usage_cost_usd:increase1h")
AN_HOUR = [gained(metric, "model", "1h", *CHOSEN) for metric in (COST, MESSAGES)]
MESSAGES_A_DAY = gained(MESSAGES, "environment", "1d", *CHOSEN)

TODAY = Row(
    "Within 24 hours",
    4,
    [
        Stat(
            title="Messages",
            about="Messages within the last 24 hours, of the providers and models that are chosen.",
            queries=[Query(MESSAGES_A_DAY)],
            unit="short",
            width=4,
            line=True,
            step="15m",
            good="blue",
        ),
        Stat(
            title="Tokens",
            about="Tokens of messages within the last 24 hours.",
            queries=[Query(gained(TOKENS, "environment", "1d", *CHOSEN))],
            unit="short",
            width=4,
            line=True,
            step="15m",
            good="blue",
        ),
        Stat(
            title="Cost",
            about="What the providers cost within the last 24 hours.",
            queries=[Query(gained(COST, "environment", "1d", *CHOSEN))],
            unit="currencyUSD",
            width=4,
            line=True,
            step="15m",
            good="blue",
        ),
        Stat(
            title="Cost per thousand",
            about="Cost of the last 24 hours for each thousand messages of that time.",
            queries=[Query(f"1000 * ({gained(COST, 'environment', '1d', *CHOSEN)}) / ({MESSAGES_A_DAY} > 0)")],
            unit="currencyUSD",
            width=4,
            line=True,
            step="15m",
            good="blue",
        ),
        Stat(
            title="Hour against week",
            about="Cost of the last hour, of all models, in hourly means of the past week. Above 3, and above 5 USD, "
            "an alert fires.",
            queries=[Query(f"{COST_AN_HOUR} / (avg_over_time({COST_AN_HOUR}[7d]) > 0)")],
            unit="none",
            width=4,
            decimals=1,
            line=True,
            limits=[Limit(3, "UsageCostHigh")],
            nothing="known after an hour",
        ),
        Stat(
            title="Chat requests",
            about="Requests a second to the API's chat endpoints.",
            queries=[Query(rate("chatterfy_http_requests_total", "environment", endpoint=ENDPOINT))],
            unit="reqps",
            width=4,
            line=True,
            good="blue",
            more="api",
        ),
    ],
)

USE = Row(
    "Use",
    9,
    [
        Graph(
            title="Messages by model",
            about="Messages a minute.",
            queries=[Query(f"{rate(MESSAGES, 'model', *CHOSEN)} * 60", "{{model}}")],
            unit="cpm",
            width=12,
            stacked=True,
            step="5m",
            calcs=(),
        ),
        Graph(
            title="Tokens by model",
            about="Tokens a minute, in and out together.",
            queries=[Query(f"{rate(TOKENS, 'model', *CHOSEN)} * 60", "{{model}}")],
            unit="cpm",
            width=12,
            stacked=True,
            step="5m",
            calcs=(),
        ),
    ],
)

MONEY = Row(
    "Cost",
    9,
    [
        Graph(
            title="Cost per hour",
            about="What each model cost within each hour.",
            queries=[Query(gained(COST, "model", "1h", *CHOSEN), "{{model}}")],
            unit="currencyUSD",
            width=12,
            bars=True,
            stacked=True,
            step="1h",
            calcs=(),
        ),
        Graph(
            title="Cost per thousand messages, by model",
            about="Each model's cost of an hour for each thousand messages of that hour: what a model is worth.",
            queries=[
                Query(f"1000 * ({AN_HOUR[0]}) / ({AN_HOUR[1]} > 0)", "{{model}}"),
            ],
            unit="currencyUSD",
            width=12,
            step="1h",
            calcs=(),
        ),
    ],
)

SHARES = Row(
    "Who answers",
    9,
    [
        Share(
            title="Messages by provider",
            about="Share of the last 24 hours' messages.",
            queries=[Query(gained(MESSAGES, "provider", "1d", *CHOSEN), "{{provider}}", last=True)],
            unit="short",
            width=12,
        ),
        Share(
            title="Cost by model",
            about="Share of the last 24 hours' cost.",
            queries=[Query(gained(COST, "model", "1d", *CHOSEN), "{{model}}", last=True)],
            unit="currencyUSD",
            width=12,
        ),
    ],
)

WAITING = Row(
    "How long users wait",
    9,
    [
        Graph(
            title="As users feel it",
            about="How long it takes until a chat's answer is complete, as browsers measure it: half of the answers, "
            "95 % and 99 % of them are faster.",
            queries=[
                Query(received_quantile(share, ANSWERED, "", "$__rate_interval", *CHOSEN), name)
                for share, name in QUANTILES
            ],
            unit="s",
            width=8,
            step="5m",
            nothing="no browser has told",
        ),
        Graph(
            title="As the API's log has it",
            about="How long the API takes to answer a chat request: half of them, 95 % and 99 % are faster.",
            queries=[Query(quantile(share, DURATION, "", endpoint=ENDPOINT), name) for share, name in QUANTILES],
            unit="s",
            width=8,
            step="5m",
            limits=[Limit(2, color=ORANGE)],
            more="api",
        ),
        Ranking(
            title="Slowest models",
            about="What 95 % of each model's answers of the last hour were faster than, as browsers measured it.",
            queries=[
                Query(f"sort_desc({received_quantile(0.95, ANSWERED, 'model', '1h', *CHOSEN)})", "{{model}}", last=True)
            ],
            unit="s",
            width=8,
            minimum=0,
            decimals=2,
            good="blue",
            nothing="no browser has told",
        ),
        Graph(
            title="p95 by provider",
            about="95 % of each provider's answers of 10 minutes were complete faster; above 30 s an alert fires.",
            queries=[Query(received_quantile(0.95, ANSWERED, "provider", "10m", *CHOSEN), "{{provider}}")],
            unit="s",
            width=8,
            step="5m",
            fill=0,
            limits=[Limit(30, "ChatResponsesSlow", RED)],
            nothing="no browser has told",
            calcs=(),
        ),
        Graph(
            title="p95 by model",
            about="95 % of each model's answers were complete faster, as browsers measured it.",
            queries=[
                Query(received_quantile(0.95, ANSWERED, "model", "$__rate_interval", *CHOSEN), "{{model}}"),
            ],
            unit="s",
            width=8,
            step="15m",
            fill=0,
            nothing="no browser has told",
            calcs=(),
        ),
        Heatmap(
            title="Answers by duration",
            about="How many answers a second took how long: the brighter, the more.",
            queries=[Query(received(of(f"{ANSWERED}_bucket", *CHOSEN), "le"), "{{le}}")],
            unit="s",
            width=8,
            step="10m",
            nothing="no browser has told",
        ),
    ],
)

SCREEN = Dashboard(
    name="chat",
    title="Chat",
    about="Messages, tokens, cost and response times of the models behind the chat.",
    since="24h",
    variables=[Variable("provider", MESSAGES), Variable("model", MESSAGES)],
    rows=[TODAY, WAITING, USE, MONEY, SHARES],
)
