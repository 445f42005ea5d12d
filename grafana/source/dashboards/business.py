"""Business: who comes, who stays, what they pay, and what they cost."""

from grafana.source.facade import (
    GREEN,
    ORANGE,
    RED,
    Dashboard,
    Graph,
    Limit,
    Query,
    Ranking,
    Row,
    Share,
    Stat,
    Variable,
)
from grafana.source.promql import ENVIRONMENT, gained, of, received_in, total

MRR = total("chatterfy_mrr_usd", "environment", "plan")
CANCELLED = of("environment:chatterfy_subscriptions_cancelled:sum")
CANCELLED_30D = f"{CANCELLED} - min_over_time({CANCELLED}[30d])"
ACTIVE = total("chatterfy_subscriptions", "environment", status="active")
QUERIES = "active_orgs|file_.+|messages|mrr_usd|orgs|signups|subscriptions.*|tokens|usage_cost_usd|users"
POSTHOG = "chatterfy_posthog_events_total"
OWN_EVENTS = f'{POSTHOG}{{{ENVIRONMENT}, event!~"[$].+|survey .+"}}'
AGE = '(time() - max by (environment) (chatterfy_daily_day_timestamp_seconds{environment="$environment"})) / 3600'

NOW = Row(
    "Now",
    5,
    [
        Stat(
            title="MRR",
            about="Monthly recurring revenue, of active and past due subscriptions of the plans that are chosen.",
            queries=[Query(MRR)],
            unit="currencyUSD",
            width=4,
            line=True,
            step="1h",
            good="blue",
        ),
        Stat(
            title="MRR, change in 30 days",
            about="By how much the monthly recurring revenue has grown within 30 days.",
            queries=[
                Query(
                    f"{MRR} - sum by (environment) (max without (instance) ({of('chatterfy_mrr_usd', 'plan')} "
                    "offset 30d))",
                    last=True,
                )
            ],
            unit="currencyUSD",
            width=4,
            limits=[Limit(0, color=RED)],
            bad_below=True,
            nothing="known after 30 days",
        ),
        Stat(
            title="Active subscriptions",
            about="Subscriptions that are active, of the plans that are chosen.",
            queries=[Query(total("chatterfy_subscriptions", "environment", "plan", status="active"))],
            unit="short",
            width=4,
            line=True,
            step="1h",
            good="blue",
        ),
        Stat(
            title="Churn, 30 days",
            about="Subscriptions cancelled within 30 days, as a share of those and the ones that are active now.",
            queries=[Query(f"({CANCELLED_30D}) / (({CANCELLED_30D}) + {ACTIVE} > 0)")],
            unit="percentunit",
            width=4,
            decimals=1,
            line=True,
            step="1h",
            good="blue",
        ),
        Stat(
            title="Cancelled, last hour",
            about="Subscriptions cancelled within an hour; more than 5 is unusual.",
            queries=[Query(f"{CANCELLED} - min_over_time({CANCELLED}[1h])", last=True)],
            unit="none",
            width=4,
            limits=[Limit(5, "HighChurn", RED)],
        ),
        Stat(
            title="Users",
            about="All users that there are.",
            queries=[Query(f"max by (environment) ({of('chatterfy_users')})")],
            unit="short",
            width=4,
            line=True,
            step="1h",
            good="blue",
        ),
    ],
)

REVENUE = Row(
    "Revenue",
    9,
    [
        Graph(
            title="MRR by plan",
            about="Monthly recurring revenue, of active and past due subscriptions.",
            queries=[Query(total("chatterfy_mrr_usd", "plan", "plan"), "{{plan}}")],
            unit="currencyUSD",
            width=8,
            stacked=True,
            step="1h",
            calcs=["lastNotNull", "max"],
        ),
        Graph(
            title="Subscriptions, new and cancelled",
            about="Subscriptions that were created and cancelled, each day.",
            queries=[
                Query(gained("chatterfy_subscriptions_created_total", "environment", "1d", "plan"), "new"),
                Query(gained("chatterfy_subscriptions_cancelled_total", "environment", "1d"), "cancelled"),
            ],
            unit="short",
            width=8,
            bars=True,
            step="1d",
            calcs=["sum", "max"],
            colors={"^new$": GREEN, "^cancelled$": RED},
        ),
        Graph(
            title="Cost against revenue",
            about="What the models cost each day, beside a thirtieth of the monthly recurring revenue.",
            queries=[
                Query(f"{total('chatterfy_mrr_usd', 'environment')} / 30", "revenue"),
                Query(gained("chatterfy_usage_cost_usd_total", "environment", "1d"), "model cost"),
            ],
            unit="currencyUSD",
            width=8,
            step="1d",
            colors={"^revenue$": GREEN, "^model cost$": ORANGE},
            more="chat",
        ),
    ],
)

PEOPLE = Row(
    "People",
    9,
    [
        Graph(
            title="Signups by source",
            about="Users who signed up, each day, by where they came from.",
            queries=[Query(gained("chatterfy_signups_total", "source", "1d"), "{{source}}")],
            unit="short",
            width=8,
            bars=True,
            stacked=True,
            step="1d",
            calcs=(),
        ),
        Graph(
            title="Active organisations",
            about="Organisations whose users wrote a message within 1, 7 and 30 days.",
            queries=[Query(f"max by (window) ({of('chatterfy_active_orgs')})", "{{window}}")],
            unit="short",
            width=8,
            step="1h",
            fill=5,
            calcs=["lastNotNull", "max"],
        ),
        Graph(
            title="Subscriptions by status",
            about="Subscriptions of the plans that are chosen; past due ones have not paid yet.",
            queries=[Query(total("chatterfy_subscriptions", "status", "plan"), "{{status}}")],
            unit="short",
            width=8,
            step="1h",
            fill=5,
            colors={"^active$": GREEN, "^past_due$": ORANGE, "^canceled$": RED},
            calcs=(),
        ),
    ],
)

USE = Row(
    "Use",
    9,
    [
        Graph(
            title="Messages",
            about="Messages, each day.",
            queries=[Query(gained("chatterfy_messages_total", "environment", "1d"), "messages")],
            unit="short",
            width=6,
            bars=True,
            step="1d",
            calcs=["sum", "max"],
            more="chat",
        ),
        Graph(
            title="Uploads by type",
            about="Files uploaded, each day.",
            queries=[Query(gained("chatterfy_file_uploads_total", "file_type", "1d"), "{{file_type}}")],
            unit="short",
            width=6,
            bars=True,
            stacked=True,
            step="1d",
            calcs=(),
        ),
        Graph(
            title="Bytes uploaded",
            about="Bytes of files uploaded, each day.",
            queries=[Query(gained("chatterfy_file_upload_bytes_total", "environment", "1d"), "bytes")],
            unit="decbytes",
            width=6,
            bars=True,
            step="1d",
            calcs=["sum", "max"],
        ),
        Share(
            title="Organisations by plan",
            about="What organisations pay for now.",
            queries=[Query(f"max by (plan) ({of('chatterfy_orgs', 'plan')})", "{{plan}}", last=True)],
            unit="short",
            width=6,
        ),
    ],
)

PRODUCT = Row(
    "What people do in the app, as PostHog is told",
    9,
    [
        Ranking(
            title="Top events of 24 hours",
            about="The ten events that browsers and apps sent to PostHog most often within 24 hours.",
            queries=[Query(f"topk(10, {received_in('1d', of(POSTHOG), 'event')} > 0)", "{{event}}", last=True)],
            unit="short",
            width=8,
            minimum=0,
            decimals=0,
            good="blue",
            nothing="PostHog is not received",
        ),
        Graph(
            title="Page views",
            about="Pages that were looked at, each day.",
            queries=[Query(received_in("1d", of(POSTHOG, event="[$]pageview"), "event"), "{{event}}")],
            unit="short",
            width=8,
            bars=True,
            step="1d",
            calcs=["sum", "max"],
            nothing="PostHog is not received",
        ),
        Graph(
            title="The app's own events",
            about="Events by the names that the app gave them, each day.",
            queries=[
                Query(f"{received_in('1d', OWN_EVENTS, 'event')} > 0", "{{event}}"),
            ],
            unit="short",
            width=8,
            bars=True,
            stacked=True,
            step="1d",
            nothing="PostHog is not received",
            calcs=(),
        ),
    ],
)

DAY = Row(
    "The last complete day",
    4,
    [
        Stat(
            title="Which day",
            about="When the last day that was counted began.",
            queries=[Query(f"max by (environment) ({of('chatterfy_daily_day_timestamp_seconds')}) * 1000", last=True)],
            unit="dateTimeAsIso",
            width=5,
            good="text",
        ),
        *(
            Stat(
                title=title,
                about=about,
                queries=[Query(f"max by (environment) ({of(f'chatterfy_daily_{name}')})", last=True)],
                unit=unit,
                width=4,
                good="blue",
            )
            for name, title, about, unit in (
                ("new_users", "New users", "Users who signed up on that day.", "short"),
                ("messages", "Messages of the day", "Messages of that day.", "short"),
                ("active_orgs", "Organisations that wrote", "Organisations that wrote on that day.", "short"),
                ("revenue_usd", "Usage billed", "Usage cost that the app booked to that day.", "currencyUSD"),
            )
        ),
        Stat(
            title="Age in hours",
            about="Hours since that day began; more than 49 means that a day is missing.",
            queries=[Query(AGE, last=True)],
            unit="none",
            width=3,
            decimals=0,
            limits=[Limit(49, "DailyAggregationMissed", RED)],
        ),
    ],
)

FRESHNESS = Row(
    "Why they leave, and how fresh all of this is",
    9,
    [
        Share(
            title="Reasons of 24 hours",
            about="Why subscriptions were cancelled within the last 24 hours.",
            queries=[Query(gained("chatterfy_subscriptions_cancelled_total", "reason", "1d"), "{{reason}}", last=True)],
            unit="short",
            width=8,
            nothing="nobody left",
        ),
        Ranking(
            title="Age of the numbers",
            about="How long ago each number was last read.",
            queries=[
                Query(
                    "sort_desc(time() - max by (task) "
                    f"({of('chatterfy_job_last_success_timestamp_seconds', task=QUERIES)}))",
                    "{{task}}",
                    last=True,
                )
            ],
            unit="s",
            width=16,
            minimum=0,
            decimals=0,
            good="blue",
            more="exporter",
        ),
    ],
)

SCREEN = Dashboard(
    name="business",
    title="Business",
    about="Signups, revenue, churn, use and cost, exact to the row, and how fresh the numbers are.",
    since="30d",
    variables=[Variable("plan", "chatterfy_orgs")],
    rows=[NOW, REVENUE, PEOPLE, USE, PRODUCT, DAY, FRESHNESS],
)
