"""Writes the dashboards' JSON: python -m grafana.source [--check] [--runbooks URL]."""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from grafana.source import dashboards
from grafana.source.facade import Dashboard

FOLDER = Path(__file__).parents[1] / "dashboards/chatterfy"
RUNBOOKS = "http://localhost:9877/runbooks"
"""Where the exporter serves them; as in Prometheus' external labels."""


def main() -> int:
    """Writes what differs; with --check tells it and returns 1."""
    parser = argparse.ArgumentParser(prog="python -m grafana.source", description="Writes the dashboards' JSON.")
    parser.add_argument("--check", action="store_true", help="only tell whether the JSON is current")
    parser.add_argument("--runbooks", default=RUNBOOKS, metavar="URL", help=f"where runbooks are (default: {RUNBOOKS})")
    options = parser.parse_args()
    wanted = {FOLDER / f"{screen.name}.json": screen.json(options.runbooks) for screen in screens()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    orphans = [path for path in FOLDER.glob("*.json") if path not in wanted]
    if options.check:
        for path in (*stale, *orphans):
            sys.stderr.write(f"{path.name} is not what grafana/source makes: run `make dashboards`\n")
        return 1 if stale or orphans else 0
    for path in stale:
        path.write_text(wanted[path])
    for path in orphans:
        path.unlink()
    return 0


def screens() -> list[Dashboard]:
    """Every dashboard, by name."""
    modules = (import_module(f"{dashboards.__name__}.{found.name}") for found in iter_modules(dashboards.__path__))
    return sorted((module.SCREEN for module in modules), key=lambda screen: screen.name)


if __name__ == "__main__":
    sys.exit(main())
