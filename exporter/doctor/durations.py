"""Prometheus' durations, as its API writes them."""

import re

_UNITS = {"y": 31536000.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds(text: str) -> float | None:
    """Seconds of `15s`, `1m30s`, `4w2d` or `1y`; None for anything else."""
    parts = re.findall(r"(\d{1,12})(ms|[ywdhms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in parts)
