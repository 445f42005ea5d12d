"""The few shapes of expression that panels use, for the environment that is chosen.

Replicas of the exporter count the same rows, so of each series the largest counts: `max without (instance)`. What is
sent to them comes to one of them alone: there their counts add up.
"""

ENVIRONMENT = 'environment="$environment"'


def of(metric: str, *variables: str, **labels: str) -> str:
    """The metric's series; each variable is a label that is chosen at the top of the dashboard, each label a regex."""
    chosen = [f'{name}=~"${name}"' for name in variables]
    fixed = [f'{name}=~"{value}"' for name, value in labels.items()]
    return f"{metric}{{{', '.join([ENVIRONMENT, *chosen, *fixed])}}}"


def total(metric: str, by: str, *variables: str, **labels: str) -> str:
    """What was counted in all, or a gauge's sum, by these labels."""
    return f"sum by ({by}) (max without (instance) ({of(metric, *variables, **labels)}))"


def rate(metric: str, by: str, *variables: str, **labels: str) -> str:
    """How much is counted a second."""
    counted = f"rate({of(metric, *variables, **labels)}[$__rate_interval])"
    return f"sum by ({by}) (max without (instance) ({counted}))"


def gained(metric: str, by: str, window: str, *variables: str, **labels: str) -> str:
    """What was counted within the window, to the unit, where increase() would extrapolate.

    Now minus then; a label that was born within the window had 0 then; and where Prometheus itself is younger than the
    window, it counts from the first sample on (where even that is seconds old, nothing).
    """
    now = total(metric, by, *variables, **labels)
    all_then = f"sum(max without (instance) ({of(metric, *variables, **labels)} offset {window}))"
    then = f"sum by ({by}) (max without (instance) ({of(metric, *variables, **labels)} offset {window}))"
    return f"{now} - ({then} or (0 * {now} and on () {all_then}) or min_over_time(({now})[{window}:5m]) or {now})"


def quantile(share: float, histogram: str, by: str, *variables: str, **labels: str) -> str:
    """The value that this share of observations stays below, over the whole range or step that is shown."""
    buckets = rate(f"{histogram}_bucket", f"{by}, le" if by else "le", *variables, **labels)
    return f"histogram_quantile({share}, {buckets})"


def reported(metric: str, *variables: str, **labels: str) -> str:
    """Series whose environment is the app's own word for it; Vercel's SDK for Next.js says `vercel-production`."""
    return of(metric, *variables, **labels).replace(ENVIRONMENT, 'environment=~"(vercel-)?$environment"')


def received(series: str, by: str) -> str:
    """How much comes a second, of what apps and browsers send."""
    return f"sum by ({by}) (rate({series}[$__rate_interval]))"


def received_in(window: str, series: str, by: str) -> str:
    """How much came within the window; extrapolated, as increase() does."""
    return f"sum by ({by}) (increase({series}[{window}]))"


def received_quantile(share: float, histogram: str, by: str, window: str, *variables: str, **labels: str) -> str:
    """The value that this share of what came within the window stays below; nothing where nothing came."""
    buckets = received_in(window, of(f"{histogram}_bucket", *variables, **labels), f"{by}, le" if by else "le")
    return f"histogram_quantile({share}, {buckets}) >= 0"
