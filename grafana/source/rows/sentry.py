"""What the apps report to Sentry: events, sessions, check-ins, and transactions."""

from grafana.source.facade import BLUE, GREY, ORANGE, PURPLE, RED, Column, Graph, Limit, Query, Ranking, Row, Table
from grafana.source.promql import of, received, received_in, received_quantile, reported

EVENTS, SESSIONS = "chatterfy_sentry_events_total", "chatterfy_sentry_sessions_total"
TRANSACTION, FAILED = "chatterfy_sentry_transaction_duration_seconds", "chatterfy_sentry_transaction_errors_total"
CHECKINS = "chatterfy_sentry_checkins_total"
NAMED = "project, transaction"
SAMPLED = received_in("1h", of(f"{TRANSACTION}_count", "project"), NAMED)
OFTEN = f"topk(12, {SAMPLED})"
LEVEL_COLORS = {"^fatal$": PURPLE, "^error$": RED, "^warning$": ORANGE, "^info$": BLUE, "^(debug|other)$": GREY}

SENTRY = Row(
    "What the apps report to Sentry",
    8,
    [
        Graph(
            title="Events by level",
            about="Errors and messages a minute that the apps sent to Sentry.",
            queries=[
                Query(f"{received(reported(EVENTS, 'project'), 'level')} * 60 > 0", "{{level}}"),
            ],
            unit="cpm",
            width=6,
            bars=True,
            stacked=True,
            step="5m",
            colors=LEVEL_COLORS,
            nothing="no events",
            calcs=(),
        ),
        Graph(
            title="Errors within 5 minutes",
            about="Errors and crashes that each project reported within 5 minutes. Above 20, and above five times the "
            "mean of a day, an alert fires.",
            queries=[
                Query(
                    "sum by (project) "
                    f"({reported('environment_project:chatterfy_sentry_errors:increase5m', 'project')})",
                    "{{project}}",
                )
            ],
            unit="short",
            width=6,
            limits=[Limit(20, "SentryErrorsSurge")],
            calcs=(),
        ),
        Graph(
            title="Sessions without a crash",
            about="Share of the sessions of an hour that did not crash, by project.",
            queries=[
                Query(
                    f"1 - {received_in('1h', of(SESSIONS, 'project', status='crashed'), 'project')} / "
                    f"({received_in('1h', of(SESSIONS, 'project', status='started'), 'project')} > 0)",
                    "{{project}}",
                )
            ],
            unit="percentunit",
            width=6,
            minimum=None,
            maximum=1,
            decimals=2,
            nothing="no sessions",
            calcs=(),
        ),
        Table(
            title="Check-ins of jobs",
            about="How often each of the apps' scheduled jobs ended well within 24 hours, and how often not.",
            queries=[
                Query(received_in("1d", of(CHECKINS, status=status), "monitor"), last=True)
                for status in ("ok", "error|other")
            ],
            unit="none",
            width=6,
            columns={
                "monitor": Column("Job"),
                "Value #A": Column("Well", "short", 80, decimals=0),
                "Value #B": Column("Not", "short", 80, decimals=0),
            },
            nothing="no check-ins",
        ),
    ],
)

TRANSACTIONS = Row(
    "Transactions in Sentry",
    8,
    [
        Graph(
            title="Transactions",
            about="Transactions a minute of each project, of those that the SDKs sample.",
            queries=[Query(f"{received(of(f'{TRANSACTION}_count', 'project'), 'project')} * 60", "{{project}}")],
            unit="cpm",
            width=8,
            step="5m",
            nothing="no transactions",
            calcs=(),
        ),
        Graph(
            title="Transactions, p95",
            about="95 % of each project's transactions that were sampled are faster.",
            queries=[
                Query(received_quantile(0.95, TRANSACTION, "project", "$__rate_interval", "project"), "{{project}}")
            ],
            unit="s",
            width=8,
            step="15m",
            nothing="no transactions",
            calcs=(),
        ),
        Graph(
            title="Transactions that fail",
            about="Share of each project's transactions that failed, of those that were sampled.",
            queries=[
                Query(
                    f"{received(of(FAILED, 'project'), 'project')} / "
                    f"({received(of(f'{TRANSACTION}_count', 'project'), 'project')} > 0)",
                    "{{project}}",
                )
            ],
            unit="percentunit",
            width=8,
            step="5m",
            nothing="no transactions",
            calcs=(),
        ),
    ],
)

EACH = Row(
    "Each transaction",
    14,
    [
        Table(
            title="Most frequent transactions",
            about="The twelve transactions of which most were sampled within the last hour, which share of them "
            "failed, and how long they took.",
            queries=[
                Query(OFTEN, last=True),
                *(
                    Query(f"{asked} and {OFTEN}", last=True)
                    for asked in (
                        f"{received_in('1h', of(FAILED, 'project'), NAMED)} / ({SAMPLED} > 0)",
                        received_quantile(0.5, TRANSACTION, NAMED, "1h", "project"),
                        received_quantile(0.95, TRANSACTION, NAMED, "1h", "project"),
                    )
                ),
            ],
            unit="none",
            width=16,
            columns={
                "project": Column("Project", width=100),
                "transaction": Column("Transaction"),
                "Value #A": Column("Sampled", "short", 120, decimals=0),
                "Value #B": Column("Failed", "percentunit", 110, decimals=2),
                "Value #C": Column("p50", "s", 110, decimals=2),
                "Value #D": Column("p95", "s", 110, decimals=2),
            },
            sort="Sampled",
            nothing="no transactions",
        ),
        Ranking(
            title="Slowest transactions",
            about="The twelve of which 95 % of those that were sampled within the last hour were faster than this.",
            queries=[
                Query(
                    f"sort_desc(topk(12, {received_quantile(0.95, TRANSACTION, NAMED, '1h', 'project')}))",
                    "{{project}}: {{transaction}}",
                    last=True,
                )
            ],
            unit="s",
            width=8,
            minimum=0,
            decimals=2,
            good="blue",
            nothing="no transactions",
        ),
    ],
)
