"""Program: reads an envelope and counts what is in it, as often as told; prints the CPU of one."""

import json
import statistics
import sys
import time
from pathlib import Path

from exporter.metrics.labels import Places
from exporter.metrics.store import Store
from exporter.relay.envelope import Envelope
from exporter.relay.sentry.counts import Counts
from exporter.relay.sentry.options import ENVIRONMENTS
from exporter.relay.sentry.payloads import read_all
from exporter.relay.sentry.transactions import Transactions

ROUND = 100
"""Envelopes between two looks at the clock."""


def main(body: bytes, rounds: int) -> None:
    """Counts that many rounds."""
    store = Store(2000)
    transactions = Transactions(store, {"api": Places(store, (), 100)}, str)
    counts = Counts(store, ENVIRONMENTS, Places(store, (), 20), transactions)
    used = []
    for _ in range(rounds):
        begin = time.process_time()
        for _ in range(ROUND):
            counts.items("api", read_all(list(Envelope.open(body).items())))
        used.append((time.process_time() - begin) / ROUND)
    print(json.dumps({"cpu": statistics.median(used)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_bytes(), int(sys.argv[2]))
