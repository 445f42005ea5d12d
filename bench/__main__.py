"""Runs the measurements, prints their tables, writes docs/performance.md; exits 1 when a target is missed."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from bench import machine
from bench.child import ROOT
from bench.peers import PeerMissingError
from bench.report import TARGETS_HEAD, Measure, Report
from bench.table import markdown, put

DOCUMENT = ROOT / "docs/performance.md"
MEASURES = ("start", "scrape", "probe", "loop", "schedule", "sql", "ingest", "detection")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="MEASURE", help=f"any of {', '.join(MEASURES)}; all by default")
    parser.add_argument("--pace", type=float, default=1.0, help="0.2 gives rough figures in a fifth of the time")
    chosen = parser.parse_args()
    names = chosen.only or MEASURES
    if unknown := set(names) - set(MEASURES):
        parser.error(f"no measure named {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    whole = chosen.pace == 1.0 and tuple(names) == MEASURES
    others = machine.Others()
    try:
        print(markdown(machine.HEAD, machine.facts()), flush=True)
        reports = [_report(name, chosen.pace) for name in names]
    except PeerMissingError as missing:
        print(f"a peer to compare with is missing: {missing}", file=sys.stderr)
        return 1
    targets = [target for report in reports for target in report.targets]
    tables = {report.name: markdown(report.head, report.rows) for report in reports}
    tables["machine"] = markdown(machine.HEAD, [*machine.facts(), ("other programs", f"{others.cores:.2f} cores")])
    tables["targets"] = markdown(TARGETS_HEAD, (target.row for target in targets))
    print(tables["targets"])
    if whole:
        _write(DOCUMENT, tables)
    if others.cores > machine.BUSY:
        print(f"other programs used {others.cores:.1f} cores: times are longer than ours alone", file=sys.stderr)
    missed = [target for target in targets if not target.met]
    for target in missed:
        print(f"missed: {': '.join(target.row[:2])}, {target.row[2]}", file=sys.stderr)
    return 1 if missed else 0


def _report(name: str, pace: float) -> Report:
    measure: Measure = import_module(f"bench.measures.{name}").measure
    print(f"{name} ...", flush=True)
    report = measure(pace)
    print(markdown(report.head, report.rows), flush=True)
    return report


def _write(document: Path, tables: dict[str, str]) -> None:
    text = document.read_text()
    for name, table in tables.items():
        text = put(text, name, table)
    document.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
