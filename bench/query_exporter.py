"""query-exporter with as many series as ours, out of SQLite, which costs its scrape nothing."""

from pathlib import Path

import yaml

from bench import page
from bench.child import MEASURED, Child, free_port
from bench.peers import query_exporter

_QUERY = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
SELECT n * 1.7 AS bench_value, CASE n % 3 WHEN 0 THEN 'free' WHEN 1 THEN 'pro' ELSE 'team' END AS plan,
       'region-' || (n % 20) AS region, 'tenant-' || n AS tenant
FROM numbers
"""


def start(folder: Path, series: int) -> tuple[Child, str]:
    """The running peer and the URL of its page; its query runs once, so that only the scrapes cost."""
    help_ = "A value by tenant, as a query gives them."
    document = {
        "databases": {"bench": {"dsn": "sqlite://"}},
        "metrics": {"bench_value": {"type": "gauge", "description": help_, "labels": ["plan", "region", "tenant"]}},
        "queries": {
            "bench": {
                "interval": 3600,
                "databases": ["bench"],
                "metrics": ["bench_value"],
                "sql": _QUERY.format(last=series - 1),
            }
        },
    }
    config = folder / "query-exporter.yml"
    config.write_text(yaml.safe_dump(document))
    port = free_port()
    arguments = ("--config", config, "--host", "127.0.0.1", "--port", port, "--log-level", "error")
    child = Child(query_exporter(), *map(str, arguments), core=MEASURED)
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        page.wait_for(url, 'tenant="tenant-0"')
    except BaseException:
        child.stop()
        raise
    return child, url
