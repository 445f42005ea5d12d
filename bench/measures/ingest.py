"""What it costs to take events and make them safe, beside two that keep them in memory, and how long it takes."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import page
from bench.child import LOAD, MEASURED, python
from bench.database import Server
from bench.peers import pushgateway_version
from bench.programs.load import NUMBER
from bench.receivers import CAPTURED, KEY, Found, Receiver, Sending, aiohttp_handler, ours, peer_pushgateway
from bench.report import Report, Target, figure, milliseconds

CONNECTIONS, BATCH, ROUNDS = 8, 100, 5
STEADY, SCRAPES = 300, 30
"""Single events and scrapes a second where the load leaves time to spare."""
ENVELOPES = 200
"""Rounds in which an envelope is counted a hundred times."""
EVENT = {
    "event": "chat_message",
    "data": {"orgId": "org-17", "provider": "openai", "model": "gpt-5", "tokens": 812},
}
PUSHED = '# TYPE chat_message counter\nchat_message{provider="openai",model="gpt-5"} 812\n'
DRAINED_WITHIN = 60.0

_SPOOLED = re.compile(r'^chatterfy_ingest_kept_rows_total\{.*where="spool"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Way:
    """A receiver, what it gets, and what came of it round by round."""

    receiver: Receiver
    sending: Sending
    path: str = ""
    runs: list[Found] = field(default_factory=list)

    def take(self, seconds: float) -> None:
        """One round."""
        self.runs.append(self.receiver.take(self.sending, self.path, CONNECTIONS, seconds))


def typical(runs: Sequence[Found], which: str) -> float:
    """The median over the runs of `cpu`, `median` or `p99`."""
    return float(median(getattr(run, which) for run in runs))


def row(name: str, runs: Sequence[Found]) -> tuple[str, ...]:
    """The runs of one way as the table shows them."""
    times = (typical(runs, "median"), typical(runs, "p99"))
    return name, figure(1 / typical(runs, "cpu")), *map(milliseconds, times)


def measure(pace: float) -> Report:
    """Lets events come while the page is scraped; then takes the receivers in turn."""
    seconds, version = 3 * pace, pushgateway_version()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        # As the app's own would have it: who is told that an event is safe is told the truth.
        database = stack.enter_context(Server(fsync="on"))
        exporter = stack.enter_context(ours(folder, database))
        (folder / "free").mkdir()
        unpinned = stack.enter_context(ours(folder / "free", database, None))
        bodies = sendings(folder)
        single = Way(exporter, bodies["single"], "/v1/events")
        single.receiver.take(single.sending, single.path, CONNECTIONS, seconds)  # so that it is warm
        # First, while the table is small: what the queries cost PostgreSQL is none of this.
        steady, scraped = _scraped(single, 6 * seconds, STEADY)
        pressed, scraped_pressed = _scraped(single, 6 * seconds, 0)
        ways = {
            "ours, single events": single,
            "ours, single events with a key of the sender's": Way(exporter, bodies["named"], "/v1/events"),
            "ours, single events, on all cores": Way(unpinned, bodies["single"], "/v1/events"),
            f"pushgateway {version}, one metric in one group": Way(
                stack.enter_context(peer_pushgateway()), bodies["pushed"]
            ),
            f"pushgateway {version}, the same on all cores": Way(
                stack.enter_context(peer_pushgateway(None)), bodies["pushed"]
            ),
            f"ours, batches of {BATCH}": Way(exporter, bodies["batch"], "/v1/events"),
            f"aiohttp and prometheus-client, batches of {BATCH}": Way(
                stack.enter_context(aiohttp_handler("--labels")), bodies["batch"], "/v1/events"
            ),
            f"aiohttp and a dictionary, batches of {BATCH}": Way(
                stack.enter_context(aiohttp_handler()), bodies["batch"], "/v1/events"
            ),
            "ours, Sentry events": Way(exporter, bodies["envelope"], f"/api/42/envelope/?sentry_key={KEY}"),
        }
        for _ in range(ROUNDS):
            for way in ways.values():
                way.take(seconds)
        missing, spooled = _difference((exporter, unpinned), database)
        memory = exporter.child.memory()
        counting = _counting(bodies["envelope"].body, max(1, int(ENVELOPES * pace)))
    _, _, own, _, pushed, batch, handler, *_ = (typical(way.runs, "cpu") for way in ways.values())
    rows = [
        *(row(name, way.runs) for name, way in ways.items()),
        _times(f"ours, {STEADY} single events a second", steady),
        _times("a scrape meanwhile", scraped),
        _times("ours, single events as fast as answers come", pressed),
        _times("a scrape meanwhile", scraped_pressed),
    ]
    targets = [
        Target("durable event, pushgateway's CPU against ours, both on all cores", pushed / own, 2, "x", at_least=True),
        Target(f"batches of {BATCH}, CPU of aiohttp's against ours", handler / batch, 0.5, "x", at_least=True),
        Target(f"durable event, p99 at {STEADY} a second", steady["p99"] * 1000, 25, " ms"),
        Target(f"durable event, p99 with {CONNECTIONS} busy connections", pressed["p99"] * 1000, 25, " ms"),
        Target(f"scrape at {STEADY} events a second, p99", scraped["p99"] * 1000, 5, " ms"),
        Target(f"scrape with {CONNECTIONS} busy connections, p99", scraped_pressed["p99"] * 1000, 5, " ms"),
        Target("Sentry event of 3.5 kB, CPU to count it", counting * 1000, 0.1, " ms"),
        Target("events accepted that are not in the table", missing, 0),
        Target("events accepted that had to wait on the disk", spooled, 0),
        Target("memory after all these events", memory, 120, " MB"),
    ]
    return Report("ingest", ("What", "Events per second of CPU", "Median time", "p99"), rows, targets)


def sendings(folder: Path) -> dict[str, Sending]:
    """What is sent, each in a file of its own."""
    captured = [json.loads(line)["body"] for line in CAPTURED.read_text().splitlines()]
    contents = {
        "single": (json.dumps(EVENT), "application/json", 1),
        "named": (json.dumps({**EVENT, "id": NUMBER.decode()}), "application/json", 1),
        "batch": (json.dumps([EVENT] * BATCH), "application/json", BATCH),
        "pushed": (PUSHED, "text/plain", 1),
        "envelope": (next(body for body in captured if '{"type":"event"}' in body), "application/x-sentry-envelope", 1),
    }
    for name, (content, _, _) in contents.items():
        (folder / name).write_text(content)
    return {name: Sending(folder / name, kind, events) for name, (_, kind, events) in contents.items()}


def kept(text: str) -> tuple[float, float]:
    """How many events a page has as accepted, and how many rows as kept on the disk at first."""
    return page.total(text, "chatterfy_events_total"), sum(map(float, _SPOOLED.findall(text)))


def _scraped(way: Way, seconds: float, rate: float) -> tuple[dict[str, float], dict[str, float]]:
    """How long answers and scrapes took while both came."""
    arguments = ("--connections", 1, "--seconds", seconds, "--rate", SCRAPES)
    with (
        way.receiver.sender(way.sending, way.path, CONNECTIONS, seconds, rate) as sender,
        python("bench.programs.load", way.receiver.metrics, *arguments, core=LOAD) as scraper,
    ):
        return sender.facts(), scraper.facts()


def _difference(exporters: Sequence[Receiver], database: Server) -> tuple[float, float]:
    """How many of the events that were accepted are not in the table, and how many had to wait on the disk."""
    time.sleep(1)  # the page is made anew twice a second
    until = time.monotonic() + DRAINED_WITHIN
    pages = "".join(page.fetch(exporter.metrics) for exporter in exporters)
    while page.total(pages, "chatterfy_ingest_spool_rows") and time.monotonic() < until:
        time.sleep(0.2)
        pages = "".join(page.fetch(exporter.metrics) for exporter in exporters)
    accepted, spooled = kept(pages)
    return accepted - int(database.value('SELECT count(*) FROM "BusinessEvent"')), spooled


def _counting(envelope: Path, rounds: int) -> float:
    """CPU of reading an envelope and counting what is in it, without HTTP."""
    with python("bench.programs.envelope", envelope, rounds, core=MEASURED) as counter:
        return float(counter.facts()["cpu"])


def _times(name: str, found: Mapping[str, float]) -> tuple[str, ...]:
    return name, "", milliseconds(found["median"]), milliseconds(found["p99"])
