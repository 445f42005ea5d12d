"""What browsers see of the pages: web vitals, which browsers measure."""

from grafana.source.facade import Column, Graph, Query, Row, Table, alone
from grafana.source.promql import of, received, received_in
from grafana.source.vitals import BY_PAGE, VITALS

BROWSERS = Row(
    "What browsers see",
    9,
    [
        *(
            Graph(
                title=f"{vital.title} by page, p75",
                about=f"{vital.about} Three quarters of the page's loads of an hour were better. {vital.words}",
                queries=[Query(f"max by (page) ({of(BY_PAGE, 'page', vital=name)})", "{{page}}")],
                unit=vital.unit,
                width=8,
                limits=vital.limits,
                fill=0,
                nothing="no browser has told",
                calcs=(),
            )
            for name, vital in VITALS.items()
        ),
        Table(
            title="Each page",
            about="How often each page was loaded within the last hour, and what three quarters of those loads were "
            "better than: first byte and first content too.",
            queries=[
                Query(
                    received_in("1h", of("chatterfy_web_vital_seconds_count", "page", vital="TTFB"), "page"), last=True
                ),
                *(
                    Query(f"max by (page) ({of(BY_PAGE, 'page', vital=name)})", last=True)
                    for name in ("TTFB", "FCP", *VITALS)
                ),
            ],
            unit="none",
            width=16,
            columns={
                "page": Column("Page", url=alone("api", "page")),
                "Value #A": Column("Loads", "short", 90, decimals=0),
                "Value #B": Column("First byte", "s", 110, decimals=2),
                "Value #C": Column("First content", "s", 130, decimals=2),
                "Value #D": Column("Page load", "s", 110, VITALS["LCP"].limits, decimals=2),
                "Value #E": Column("Reaction", "s", 110, VITALS["INP"].limits, decimals=2),
                "Value #F": Column("Layout shift", "none", 120, VITALS["CLS"].limits, decimals=2),
            },
            sort="Loads",
            nothing="no browser has told",
        ),
        Graph(
            title="Page loads",
            about="Loads a minute of each page, as browsers tell of them.",
            queries=[
                Query(
                    f"{received(of('chatterfy_web_vital_seconds_count', 'page', vital='TTFB'), 'page')} * 60",
                    "{{page}}",
                )
            ],
            unit="cpm",
            width=8,
            step="5m",
            stacked=True,
            nothing="no browser has told",
            calcs=(),
        ),
    ],
)
