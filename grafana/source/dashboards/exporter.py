"""Exporter: do its jobs run, are their numbers fresh, what does it use; and do those who watch it work?"""

from grafana.source.facade import (
    GREEN,
    GREY,
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
    Variable,
    alone,
)
from grafana.source.promql import of
from grafana.source.rows.received import PASSED_ON, RECEIVED

JOB = "chatterfy-exporter"
RUNS, FAILED = (
    of("chatterfy_job_runs_total", "instance", "task"),
    of("chatterfy_job_failures_total", "instance", "task"),
)
DURATION = "chatterfy_job_duration_seconds"
DROPPED = of("environment_instance:chatterfy_series_dropped:sum", "instance")
SUCCESS = of("chatterfy_job_last_success_timestamp_seconds", "instance", "task")
INTERVAL = of("chatterfy_job_interval_seconds", "instance", "task")


def process(name: str) -> str:
    """A metric that others have too, of the exporter alone."""
    return of(name, "instance", job=JOB)


NOW = Row(
    "Now",
    4,
    [
        Stat(
            title="Scraped",
            about="Whether Prometheus reads the exporter's page.",
            queries=[Query(f"min by (instance) ({process('up')})", "{{instance}}", last=True)],
            unit="none",
            width=3,
            states={1: ("up", GREEN), 0: ("down", RED)},
            filled=True,
        ),
        Stat(
            title="Configuration",
            about="Whether the configuration was accepted when it was last read.",
            queries=[Query(f"min({of('chatterfy_config_last_reload_successful', 'instance')})", last=True)],
            unit="none",
            width=3,
            states={1: ("accepted", GREEN), 0: ("refused", RED)},
            filled=True,
        ),
        Stat(
            title="Read",
            about="How long ago a configuration was last accepted.",
            queries=[
                Query(
                    f"time() - max({of('chatterfy_config_last_reload_success_timestamp_seconds', 'instance')})",
                    last=True,
                )
            ],
            unit="s",
            width=3,
            decimals=1,
            good="text",
        ),
        Stat(
            title="Running for",
            about="How long ago the process was started.",
            queries=[Query(f"time() - min({process('process_start_time_seconds')})", last=True)],
            unit="s",
            width=3,
            decimals=1,
            good="text",
        ),
        Stat(
            title="Memory",
            about="Resident memory of the exporter's process.",
            queries=[Query(f"max({process('process_resident_memory_bytes')})")],
            unit="bytes",
            width=3,
            line=True,
            good="blue",
        ),
        Stat(
            title="CPU",
            about="Share of one processor core that the exporter's process uses.",
            queries=[Query(f"max(rate({process('process_cpu_seconds_total')}[$__rate_interval]))")],
            unit="percentunit",
            width=3,
            decimals=1,
            line=True,
            good="blue",
        ),
        Stat(
            title="Series",
            about="Samples on the exporter's page.",
            queries=[Query(f"max({process('scrape_samples_scraped')})")],
            unit="short",
            width=3,
            line=True,
            good="blue",
        ),
        Stat(
            title="Dropped",
            about="Series left off the page within 15 minutes, because a label had more values than its limit allows.",
            queries=[Query(f"sum({DROPPED} - min_over_time({DROPPED}[15m]))", last=True)],
            unit="none",
            width=3,
            limits=[Limit(1, color=RED)],
        ),
    ],
)

JOBS = Row(
    "Jobs",
    20,
    [
        Table(
            title="Each job",
            about="How often each job is to run, how long it takes, how many of its runs fail, and how long ago it "
            "last succeeded.",
            queries=[
                Query(f"max by (task) ({INTERVAL})", last=True),
                Query(
                    f"sum by (task) (rate({of(f'{DURATION}_sum', 'instance', 'task')}[$__rate_interval])) / "
                    f"(sum by (task) (rate({of(f'{DURATION}_count', 'instance', 'task')}[$__rate_interval])) > 0)",
                    last=True,
                ),
                Query(
                    f"(sum by (task) (rate({FAILED}[$__rate_interval])) or 0 * sum by (task) "
                    f"(rate({RUNS}[$__rate_interval]))) / (sum by (task) (rate({RUNS}[$__rate_interval])) > 0)",
                    last=True,
                ),
                Query(f"time() - max by (task) ({SUCCESS})", last=True),
            ],
            unit="none",
            width=12,
            columns={
                "task": Column("Job", url=alone("exporter", "task") + "&${instance:queryparam}"),
                "Value #A": Column("Every", "s", 80),
                "Value #B": Column("Takes", "s", 90),
                "Value #C": Column("Failed", "percentunit", 100, [Limit(0.5, "JobFailing", RED)], decimals=0),
                "Value #D": Column("Last success", "s", 150, decimals=0),
            },
            sort="Last success",
        ),
        Graph(
            title="Age of results",
            about="How many of its own intervals ago each job last succeeded; an alert fires some time above 3.",
            queries=[Query(f"(time() - max by (task) ({SUCCESS})) / max by (task) ({INTERVAL})", "{{task}}")],
            unit="none",
            width=12,
            decimals=1,
            fill=0,
            limits=[Limit(3, "JobStale")],
            calcs=(),
        ),
    ],
)

RUNNING = Row(
    "How the jobs run",
    9,
    [
        Graph(
            title="Duration, p95",
            about="95 % of the job's runs took less.",
            queries=[
                Query(
                    "histogram_quantile(0.95, sum by (task, le) "
                    f"(rate({of(f'{DURATION}_bucket', 'instance', 'task')}[$__rate_interval]))) >= 0",
                    "{{task}}",
                )
            ],
            unit="s",
            width=8,
            fill=0,
            step="5m",
            calcs=(),
        ),
        Graph(
            title="Failures by reason",
            about="Runs a minute that failed, by reason.",
            queries=[Query(f"sum by (reason) (rate({FAILED}[$__rate_interval])) * 60 > 0", "{{reason}}")],
            unit="cpm",
            width=8,
            bars=True,
            stacked=True,
            nothing="no failures",
            calcs=(),
        ),
        Graph(
            title="Oldest result of a probe",
            about="How long ago the probe began whose last run is the oldest.",
            queries=[
                Query(
                    f"max by (instance) (time() - {of('chatterfy_probe_last_run_timestamp_seconds', 'instance')})",
                    "{{instance}}",
                )
            ],
            unit="s",
            width=8,
        ),
    ],
)

COUNTERS = Row(
    "Counters from the database",
    9,
    [
        Graph(
            title="Horizon",
            about="How far behind now each counter's rows are closed; what is younger is counted anew at each refresh.",
            queries=[
                Query(
                    f"time() - max by (query) ({of('chatterfy_query_horizon_timestamp_seconds', 'instance')})",
                    "{{query}}",
                )
            ],
            unit="s",
            width=8,
            logarithmic=True,
            minimum=None,
            fill=0,
            calcs=(),
        ),
        Timeline(
            title="Queries that run",
            about="Green while the query runs; grey while a table or column that it reads is missing.",
            queries=[Query(f"min by (query) ({of('chatterfy_query_enabled', 'instance')})", "{{query}}")],
            unit="none",
            width=8,
            states={1: ("runs", GREEN), 0: ("off", GREY)},
        ),
        Graph(
            title="Late rows",
            about="By how much the nightly recount found more than had been counted; that is put right at once.",
            queries=[Query(f"max by (query) ({of('chatterfy_query_late_rows', 'instance')})", "{{query}}")],
            unit="short",
            width=8,
            fill=0,
            limits=[Limit(0, "LateRows")],
            nothing="nothing was recounted yet",
            calcs=(),
        ),
    ],
)


PAGE = Row(
    "Page and process",
    8,
    [
        Graph(
            title="Scrape",
            about="How long Prometheus takes to read the exporter's page.",
            queries=[Query(f"max by (instance) ({process('scrape_duration_seconds')})", "{{instance}}")],
            unit="s",
            width=6,
        ),
        Graph(
            title="Series dropped by metric",
            about="Series a minute that were left off the page, or folded into `other`.",
            queries=[
                Query(
                    "sum by (metric) "
                    f"(rate({of('chatterfy_series_dropped_total', 'instance')}[$__rate_interval])) * 60",
                    "{{metric}}",
                )
            ],
            unit="cpm",
            width=6,
            calcs=["max"],
            nothing="nothing was dropped",
        ),
        Graph(
            title="Memory over time",
            about="Resident memory of the exporter's process.",
            queries=[Query(f"max by (instance) ({process('process_resident_memory_bytes')})", "{{instance}}")],
            unit="bytes",
            width=6,
        ),
        Graph(
            title="Open files",
            about="File descriptors that the exporter's process has open.",
            queries=[Query(f"max by (instance) ({process('process_open_fds')})", "{{instance}}")],
            unit="short",
            width=6,
        ),
    ],
)

WATCHERS = Row(
    "Prometheus and Alertmanager",
    8,
    [
        Stat(
            title="Both are well",
            about="Whether Prometheus and Alertmanager are up, and took their configuration when it was last read.",
            queries=[
                Query(f"min({of('up', job='prometheus')})", "Prometheus", last=True),
                Query(f"min({of('prometheus_config_last_reload_successful')})", "its configuration", last=True),
                Query(f"min({of('up', job='alertmanager')})", "Alertmanager", last=True),
                Query(f"min({of('alertmanager_config_last_reload_successful')})", "its configuration ", last=True),
            ],
            unit="none",
            width=6,
            states={1: ("well", GREEN), 0: ("not well", RED)},
            filled=True,
        ),
        Graph(
            title="Rules",
            about="Share of its interval that a group of rules takes to evaluate; at 1 evaluations are missed.",
            queries=[
                Query(
                    "max by (group) (label_replace("
                    f"{of('prometheus_rule_group_last_duration_seconds')} / "
                    f"{of('prometheus_rule_group_interval_seconds')}, 'group', '$1', 'rule_group', '.*;(.*)'))",
                    "{{group}}",
                )
            ],
            unit="percentunit",
            width=6,
            calcs=(),
        ),
        Graph(
            title="What goes wrong",
            about="Evaluations that fail or are missed, and notifications that fail or are dropped, a minute: all "
            "should be 0.",
            queries=[
                Query(f"sum(rate({of(metric)}[$__rate_interval])) * 60", name)
                for metric, name in (
                    ("prometheus_rule_evaluation_failures_total", "evaluations failed"),
                    ("prometheus_rule_group_iterations_missed_total", "evaluations missed"),
                    ("prometheus_notifications_errors_total", "notifications failed"),
                    ("prometheus_notifications_dropped_total", "notifications dropped"),
                )
            ],
            unit="cpm",
            width=6,
            limits=[
                Limit(0, "PrometheusRuleFailures", RED),
                Limit(0, "PrometheusMissedEvaluations", RED),
                Limit(0, "PrometheusNotificationFailures", RED),
            ],
            calcs=(),
        ),
        Graph(
            title="Samples",
            about="Samples a second that Prometheus takes in, and the series that it holds in memory.",
            queries=[
                Query(
                    f"sum(rate({of('prometheus_tsdb_head_samples_appended_total')}[$__rate_interval]))",
                    "samples a second",
                ),
                Query(f"max({of('prometheus_tsdb_head_series')})", "series"),
            ],
            unit="short",
            width=6,
            calcs=["lastNotNull", "max"],
        ),
    ],
)

SCREEN = Dashboard(
    name="exporter",
    title="Exporter",
    about="The exporter itself: jobs, freshness, counters, what it receives and passes on, page and process; and "
    "Prometheus and Alertmanager, which watch it.",
    since="6h",
    variables=[
        Variable("instance", "chatterfy_build_info"),
        Variable("task", "chatterfy_job_interval_seconds"),
    ],
    rows=[NOW, JOBS, RUNNING, COUNTERS, RECEIVED, PASSED_ON, PAGE, WATCHERS],
)
