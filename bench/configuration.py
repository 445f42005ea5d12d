"""The exporter's configuration for a measurement."""

from pathlib import Path

import yaml


def http_probes(folder: Path, url: str, number: int, interval: float) -> Path:
    """Writes a configuration with so many HTTP probes of one server, each every `interval` seconds."""
    options = {
        "kind": "http",
        "interval": f"{interval * 1000:.0f}ms",
        "timeout": f"{min(5, interval / 2) * 1000:.0f}ms",
    }
    document = {
        "listen": "127.0.0.1:0",
        "log": {"level": "error"},
        "limits": {"series_per_metric": 20_000},
        "probes": {f"target_{place}": {**options, "url": f"{url}/{place}"} for place in range(number)},
    }
    path = folder / f"{number}-probes.yml"
    path.write_text(yaml.safe_dump(document))
    return path
