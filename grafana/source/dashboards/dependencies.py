"""Dependencies: what the app depends on, whether it answers, how fast, and for how much longer."""

from grafana.source.facade import (
    GREEN,
    GREY,
    ORANGE,
    RED,
    STATE,
    Column,
    Dashboard,
    Graph,
    Limit,
    Query,
    Ranking,
    Row,
    Stat,
    Table,
    Timeline,
    Variable,
    alone,
)
from grafana.source.promql import of

SUCCESS = of("chatterfy_probe_success", "probe")
EACH = "by (probe, kind)"
UPTIME = [Limit(0.999)]
DURATION = "environment_probe:chatterfy_probe_duration_seconds"
CONNECTIONS = of("chatterfy_postgres_connections", "probe")
CONNECTIONS_MAX = of("chatterfy_postgres_connections_max", "probe")
EXPIRY = of("chatterfy_probe_tls_certificate_expiry_timestamp_seconds", "probe")

STATES = Row(
    "When was what down?",
    11,
    [
        Timeline(
            title="State of each probe",
            about="Green while the probe succeeds, red while it fails, as the worst of the exporter's replicas has it.",
            queries=[Query(f"min by (probe) ({SUCCESS})", "{{probe}}")],
            unit="none",
            width=24,
            states=STATE,
        )
    ],
)

UPTIMES = Row(
    "Each dependency",
    17,
    [
        Table(
            title="Now, and over time",
            about="The last result of each probe, whether it was allowed what it asked, and the share of runs that "
            "succeeded within 24 hours, 7 and 30 days.",
            queries=[
                Query(f"min {EACH} ({SUCCESS})", last=True),
                Query(f"max {EACH} ({of('chatterfy_probe_critical', 'probe')})", last=True),
                Query(f"min {EACH} ({of('chatterfy_probe_permitted', 'probe')})", last=True),
                Query(f"max {EACH} ({of('chatterfy_probe_http_status_code', 'probe')})", last=True),
                *(Query(f"avg {EACH} (avg_over_time({SUCCESS}[{days}]))", last=True) for days in ("1d", "7d", "30d")),
                Query(f"max {EACH} ({of(f'{DURATION}:p95_rate5m', 'probe')})", last=True),
                Query(
                    f"time() - max {EACH} ({of('chatterfy_probe_last_success_timestamp_seconds', 'probe')})", last=True
                ),
            ],
            unit="none",
            width=24,
            columns={
                "probe": Column("Probe", url=alone("dependencies", "probe")),
                "kind": Column("Kind", width=100),
                "Value #A": Column("Now", "none", 90, states=STATE),
                "Value #B": Column("Critical", "none", 110, states={1: ("critical", ORANGE), 0: ("no", GREY)}),
                "Value #C": Column("Permitted", "none", 110, states={1: ("yes", GREEN), 0: ("denied", RED)}),
                "Value #D": Column("HTTP status", "none", 130),
                "Value #E": Column("24 hours", "percentunit", 110, UPTIME, bad_below=True, decimals=2),
                "Value #F": Column("7 days", "percentunit", 110, UPTIME, bad_below=True, decimals=2),
                "Value #G": Column("30 days", "percentunit", 110, UPTIME, bad_below=True, decimals=2),
                "Value #H": Column("p95", "s", 100, [Limit(3, "ProbeSlow")], decimals=1),
                "Value #I": Column("Last success", "s", 130, decimals=0),
            },
            sort="Critical",
        )
    ],
)

LATENCY = Row(
    "Latency",
    10,
    [
        Graph(
            title="Whole runs",
            about="What a run takes on average, over 5 minutes; above 3 s a dependency is slow.",
            queries=[Query(of(f"{DURATION}:mean_rate5m", "probe"), "{{probe}}")],
            unit="s",
            width=12,
            limits=[Limit(3, "ProbeSlow")],
            calcs=(),
        ),
        Graph(
            title="Phases",
            about="How long each phase of the last run took, on average over the probes that are chosen; one that was "
            "not reached is left out.",
            queries=[Query(f"avg by (phase) ({of('chatterfy_probe_phase_seconds', 'probe')})", "{{phase}}")],
            unit="s",
            width=12,
            stacked=True,
            calcs=(),
        ),
    ],
)

FAILURES = Row(
    "Failures",
    8,
    [
        Graph(
            title="Failures by reason",
            about="Runs a minute that failed, by reason.",
            queries=[
                Query(
                    "sum by (reason) "
                    f"(rate({of('chatterfy_probe_failures_total', 'probe')}[$__rate_interval])) * 60 > 0",
                    "{{reason}}",
                )
            ],
            unit="cpm",
            width=12,
            bars=True,
            stacked=True,
            nothing="no failures",
            calcs=(),
        ),
        Graph(
            title="Failures by probe",
            about="Share of the runs that failed.",
            queries=[
                Query(
                    f"sum by (probe) (rate({of('chatterfy_probe_failures_total', 'probe')}[$__rate_interval])) / "
                    f"sum by (probe) (rate({of('chatterfy_probe_runs_total', 'probe')}[$__rate_interval]))",
                    "{{probe}}",
                )
            ],
            unit="percentunit",
            width=12,
            maximum=1,
            nothing="no failures",
            calcs=(),
        ),
    ],
)

LIMITED = Row(
    "What runs out",
    9,
    [
        Ranking(
            title="Certificates: days left",
            about="Days until the certificate that was last shown expires. Below 21 it is time to renew, below 7 it is "
            "urgent.",
            queries=[Query(f"(min by (probe) ({EXPIRY}) - time()) / 86400", "{{probe}}", last=True)],
            unit="none",
            width=7,
            minimum=0,
            maximum=90,
            decimals=0,
            limits=[Limit(7, "CertificateExpiringSoon", RED), Limit(21, "CertificateExpiring", ORANGE)],
            bad_below=True,
            nothing="no certificates are watched",
        ),
        Graph(
            title="Database connections",
            about="Share of the server's client connections that are in use; from 80 % on, it is time to act.",
            queries=[Query(f"max by (probe) ({CONNECTIONS} / {CONNECTIONS_MAX})", "{{probe}}")],
            unit="percentunit",
            width=7,
            limits=[Limit(0.8, "DatabaseConnectionsHigh")],
        ),
        Graph(
            title="Oldest transaction",
            about="Age of the oldest open transaction; one that is older than 10 minutes holds back vacuum, and the "
            "counters' horizon.",
            queries=[
                Query(
                    f"max by (probe) ({of('chatterfy_postgres_oldest_transaction_age_seconds', 'probe')})", "{{probe}}"
                )
            ],
            unit="s",
            width=7,
            limits=[Limit(600, "LongTransaction")],
        ),
        Stat(
            title="Role",
            about="Whether the database that is watched is the primary or a standby.",
            queries=[
                Query(f"max by (probe) ({of('chatterfy_postgres_in_recovery', 'probe')})", "{{probe}}", last=True)
            ],
            unit="none",
            width=3,
            states={0: ("primary", GREEN), 1: ("standby", ORANGE)},
        ),
    ],
)

SCREEN = Dashboard(
    name="dependencies",
    title="Dependencies",
    about="What the app depends on: when it was down and why, how fast it answers, what is about to run out.",
    since="24h",
    variables=[Variable("probe", "chatterfy_probe_success")],
    rows=[STATES, UPTIMES, LATENCY, FAILURES, LIMITED],
)
