"""What the exporter receives: whether it is safe, and whether it goes on."""

from grafana.source.facade import RED, Graph, Limit, Query, Row, Stat
from grafana.source.promql import of, received, received_in, received_quantile

REFUSED = "chatterfy_ingest_rejected_total"
TO_SENTRY, TO_POSTHOG = "chatterfy_sentry_forwards_total", "chatterfy_posthog_forwards_total"


def here(name: str, **labels: str) -> str:
    """A metric of what the chosen replicas received."""
    return of(name, "instance", **labels)


RECEIVED = Row(
    "What is received",
    8,
    [
        Graph(
            title="Rows kept",
            about="Rows a second that were made safe, by table: in the database, or in the spool while it is away.",
            queries=[
                Query(received(here("chatterfy_ingest_kept_rows_total"), "table, where"), "{{table}}, {{where}}"),
            ],
            unit="cps",
            width=6,
            stacked=True,
            nothing="nothing is kept",
            calcs=(),
        ),
        Graph(
            title="Time to keep, p95",
            about="95 % of the requests with rows were answered faster: that is when their rows are safe.",
            queries=[
                Query(
                    received_quantile(0.95, "chatterfy_ingest_keep_seconds", "where", "$__rate_interval", "instance"),
                    "{{where}}",
                )
            ],
            unit="s",
            width=6,
            logarithmic=True,
            minimum=None,
            fill=0,
            nothing="nothing is kept",
            calcs=(),
        ),
        Graph(
            title="Events by name",
            about="Business events a minute that were accepted.",
            queries=[
                Query(f"{received(here('chatterfy_events_total'), 'event')} * 60", "{{event}}"),
            ],
            unit="cpm",
            width=6,
            step="5m",
            stacked=True,
            nothing="no events are received",
            calcs=(),
        ),
        Graph(
            title="Refused",
            about="Requests within each bar's time that were not taken, by endpoint and reason; `none` is no endpoint, "
            "`path` is something that is not there.",
            queries=[
                Query(
                    f"{received_in('$__interval', here(REFUSED), 'endpoint, reason')} > 0", "{{endpoint}}: {{reason}}"
                )
            ],
            unit="short",
            width=6,
            step="5m",
            bars=True,
            stacked=True,
            nothing="nothing was refused",
            calcs=(),
        ),
        Graph(
            title="Rows that wait",
            about="Rows that were accepted and wait on the disk until the database takes them; after 10 minutes an "
            "alert fires.",
            queries=[Query(f"max by (instance) ({here('chatterfy_ingest_spool_rows')})", "{{instance}}")],
            unit="short",
            width=6,
            limits=[Limit(0, "SpoolNotDraining")],
            nothing="nothing is kept",
        ),
        Graph(
            title="Oldest row that waits",
            about="How long ago the oldest row on the disk was made: business counters go no further than it.",
            queries=[
                Query(
                    "max by (instance) (time() - "
                    f"{here('chatterfy_ingest_spool_oldest_timestamp_seconds')}) or "
                    f"0 * max by (instance) ({here('chatterfy_ingest_spool_rows')})",
                    "{{instance}}",
                )
            ],
            unit="s",
            width=6,
            nothing="nothing is kept",
        ),
        Graph(
            title="Spool in use",
            about="Share of the bytes that rows on the disk may take; when it is full, what is sent is refused.",
            queries=[
                Query(
                    f"max by (instance) ({here('chatterfy_ingest_spool_bytes')} / "
                    f"{here('chatterfy_ingest_spool_limit_bytes')})",
                    "{{instance}}",
                )
            ],
            unit="percentunit",
            width=6,
            maximum=1,
            limits=[Limit(0.8, "SpoolNearlyFull", RED)],
            nothing="nothing is kept",
        ),
        Stat(
            title="Dead rows",
            about="Rows that were accepted and that the database refuses for good: somebody has to look at them.",
            queries=[Query(f"sum by (environment) ({here('chatterfy_ingest_dead_rows')})", last=True)],
            unit="none",
            width=3,
            limits=[Limit(0, "DeadRows")],
            nothing="nothing is kept",
        ),
        Stat(
            title="Our own fault",
            about="Requests of the last 10 minutes that were refused for a fault of ours: neither database nor disk "
            "took them, or the exporter has a defect.",
            queries=[
                Query(received_in("10m", here(REFUSED, reason="storage|internal"), "environment"), last=True),
            ],
            unit="none",
            width=3,
            decimals=0,
            limits=[Limit(0, "IngestFailing", RED)],
            nothing="nothing is received",
        ),
    ],
)

PASSED_ON = Row(
    "What is passed on",
    8,
    [
        Graph(
            title="Passed on",
            about="Envelopes and requests a minute that were to go on to Sentry and PostHog.",
            queries=[
                Query(f"{received(here(TO_SENTRY), 'project')} * 60", "Sentry, {{project}}"),
                Query(f"{received(here(TO_POSTHOG), 'environment')} * 60", "PostHog"),
            ],
            unit="cpm",
            width=6,
            step="5m",
            nothing="nothing is passed on",
            calcs=(),
        ),
        Graph(
            title="Not taken",
            about="Share of that which Sentry and PostHog have not taken, over 10 minutes; above half of it for ten "
            "minutes an alert fires.",
            queries=[
                Query(
                    f"{received_in('10m', here(f'{name}_forward_failures_total'), by)} / "
                    f"({received_in('10m', here(f'{name}_forwards_total'), by)} > 0)",
                    legend,
                )
                for name, by, legend in (
                    ("chatterfy_sentry", "project", "Sentry, {{project}}"),
                    ("chatterfy_posthog", "environment", "PostHog"),
                )
            ],
            unit="percentunit",
            width=6,
            maximum=1,
            limits=[Limit(0.5, "ForwardingFailing")],
            nothing="nothing is passed on",
            calcs=(),
        ),
        Graph(
            title="Why it was not taken",
            about="What Sentry and PostHog have not taken, a minute, by reason: `limit` is what Sentry does not want "
            "for now, `full` that too much was under way.",
            queries=[
                Query(
                    f"{received(here('chatterfy_sentry_forward_failures_total'), 'reason')} * 60 > 0",
                    "Sentry: {{reason}}",
                ),
                Query(
                    f"{received(here('chatterfy_posthog_forward_failures_total'), 'reason')} * 60 > 0",
                    "PostHog: {{reason}}",
                ),
            ],
            unit="cpm",
            width=6,
            step="5m",
            bars=True,
            stacked=True,
            nothing="all was taken",
            calcs=(),
        ),
        Graph(
            title="Items in Sentry's envelopes",
            about="Items a minute that the apps sent to Sentry, by kind.",
            queries=[Query(f"{received(here('chatterfy_sentry_items_total'), 'item')} * 60 > 0", "{{item}}")],
            unit="cpm",
            width=6,
            step="5m",
            stacked=True,
            nothing="nothing has come",
            calcs=(),
        ),
        Graph(
            title="Dropped by Sentry's SDKs",
            about="What the SDKs say that they dropped themselves, a minute, by reason and kind.",
            queries=[
                Query(
                    f"{received(here('chatterfy_sentry_outcomes_total'), 'reason, category')} * 60 > 0",
                    "{{reason}}: {{category}}",
                )
            ],
            unit="cpm",
            width=12,
            step="5m",
            bars=True,
            stacked=True,
            nothing="nothing was dropped",
            calcs=(),
        ),
        Graph(
            title="Left out of beacons",
            about="Measurements of browsers that were left out, within each bar's time: implausible ones, further "
            "reports of the same one, and unknown kinds.",
            queries=[
                Query(
                    f"{received_in('$__interval', here('chatterfy_beacon_ignored_total'), 'measure, reason')} > 0",
                    "{{measure}}: {{reason}}",
                )
            ],
            unit="short",
            width=12,
            step="5m",
            bars=True,
            stacked=True,
            nothing="nothing was left out",
            calcs=(),
        ),
    ],
)
