"""Three exporters with the same three queries over messages every 15 seconds: ours, and two that scan the table."""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from bench import page
from bench.child import MEASURED, ROOT, Child, free_port
from bench.peers import query_exporter, sql_exporter
from exporter.business.shipped import SHIPPED

INTERVAL = 15
QUERIES = ("messages", "tokens", "message_tokens")
"""Two that are shipped, and a histogram of the bench's own."""

_OURS = ("chatterfy_messages_total", "chatterfy_tokens_total", "bench_message_tokens_count")

# What the peers ask, straight from the table. A histogram's bucket is a label like the others.
_PEERS: dict[str, tuple[list[str], list[str]]] = {
    'SELECT provider, model, count(*)::float AS bench_messages FROM "Message" GROUP BY 1, 2': (
        ["provider", "model"],
        ["bench_messages"],
    ),
    'SELECT provider, model, sum(tokens)::float AS bench_tokens FROM "Message" GROUP BY 1, 2': (
        ["provider", "model"],
        ["bench_tokens"],
    ),
    "SELECT provider, model, width_bucket(tokens, ARRAY[11, 51, 101, 501, 1001])::text AS bucket,"
    ' count(*)::float AS bench_count, sum(tokens)::float AS bench_sum FROM "Message" GROUP BY 1, 2, 3': (
        ["provider", "model", "bucket"],
        ["bench_count", "bench_sum"],
    ),
}


class Running:
    """An exporter under way; leaving the `with` block ends it."""

    def __init__(self, child: Child, port: int, metrics: Sequence[str]) -> None:
        self.child = child
        self._url = f"http://127.0.0.1:{port}/metrics"
        self._metrics = metrics
        self._seen = [0.0] * len(metrics)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.stop()

    def round(self) -> list[float]:
        """Waits until every query has given another sum than at the last round's end; raises RuntimeError.

        While messages come, each refresh does.
        """
        until = time.monotonic() + 120
        while self.child.running and time.monotonic() < until:
            sums = self.sums()
            if all(new != old for new, old in zip(sums, self._seen, strict=True)):
                self._seen = sums
                return sums
            time.sleep(0.1)
        raise RuntimeError(f"{self._url} ended, or has no new values")

    def sums(self) -> list[float]:
        """What the page has for each query, over all label sets; 0 where there is nothing yet."""
        with suppress(OSError):
            text = page.fetch(self._url)
            return [page.total(text, metric) for metric in self._metrics]
        return [0.0] * len(self._metrics)


def ours(folder: Path, url: str, **state: str) -> Running:
    """The command `serve`, whose state lies in the folder."""
    port = free_port()
    document = {
        "listen": f"127.0.0.1:{port}",
        "log": {"level": "error"},
        "database": {"url": {"env": "BENCH_DATABASE_URL"}},
        "queries": {
            "folders": [str(ROOT / "bench/sql")],
            "disable": [query.name for query in SHIPPED if query.name not in QUERIES],
        },
        "state": {"path": "state.sqlite", **state},
    }
    config = _written(folder / "ours.yml", document)
    command = (sys.executable, "-m", "exporter", "serve", "--config", config)
    return Running(Child(*command, core=MEASURED, environ={"BENCH_DATABASE_URL": url}), port, _OURS)


def peer_query_exporter(folder: Path, url: str) -> Running:
    """query-exporter."""
    port = free_port()
    document = {
        "databases": {"bench": {"dsn": url.replace("postgresql:", "postgresql+psycopg2:", 1)}},
        "metrics": {
            value: {"type": "gauge", "description": "A value by label set.", "labels": labels}
            for labels, values in _PEERS.values()
            for value in values
        },
        "queries": {
            values[0]: {"interval": INTERVAL, "databases": ["bench"], "metrics": values, "sql": sql}
            for sql, (_, values) in _PEERS.items()
        },
    }
    config = _written(folder / "query-exporter.yml", document)
    arguments = ("--config", config, "--host", "127.0.0.1", "--port", str(port), "--log-level", "error")
    metrics = [values[0] for _, values in _PEERS.values()]
    return Running(Child(query_exporter(), *arguments, core=MEASURED), port, metrics)


def peer_sql_exporter(folder: Path, url: str) -> Running:
    """prometheus-sql-exporter, which asks one query after the other."""
    port = free_port()
    queries = [
        {"name": values[0], "help": "A value by label set.", "labels": labels, "values": values, "query": sql}
        for sql, (labels, values) in _PEERS.items()
    ]
    connection = f"{url.replace('postgresql:', 'postgres:', 1)}&sslmode=disable"
    job = {"name": "bench", "interval": f"{INTERVAL}s", "connections": [connection], "queries": queries}
    config = _written(folder / "sql-exporter.yml", {"jobs": [job]})
    arguments = ("-config.file", config, "-web.listen-address", f"127.0.0.1:{port}")
    child = Child(sql_exporter(), *arguments, core=MEASURED, environ={"LOGLEVEL": "error"})
    return Running(child, port, [f"sql_{values[0]}" for _, values in _PEERS.values()])


def _written(path: Path, document: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(document))
    return path
