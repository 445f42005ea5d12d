"""Field types of configuration models: each takes what people write and says what it expected."""

import re
import ssl
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from exporter.config.secret import Sources

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SIZES = {"B": 1, "KiB": 1024, "MiB": 1024**2}
_SIZE = re.compile(r"(\d+) ?(B|KiB|MiB)")


def duration(text: object) -> float:
    """Seconds of `500ms`, `10s`, `5m`, `1h30m`, `7d`."""
    wanted = f"expected a duration such as 500ms, 10s or 5m, got {text!r}"
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise ValueError(f"{wanted} (which unit?)")
    if not isinstance(text, str) or not re.fullmatch(rf"({_DURATION.pattern})+", text):
        raise ValueError(wanted)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
    if seconds <= 0:
        raise ValueError("expected a duration longer than zero")
    return seconds


def size(text: object) -> int:
    """Bytes of `512B`, `64KiB`, `1MiB`."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"expected a size such as 512B, 64KiB or 1MiB, got {text!r}")
    return int(match[1]) * _SIZES[match[2]]


def address(text: object) -> tuple[str, int]:
    """Host and port of `127.0.0.1:9877` or `[::1]:9877`; port 0 lets the system choose."""
    wanted = f"expected an address such as 127.0.0.1:9877, got {text!r}"
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\s\[\]]+)):(\d{1,5})", text) if isinstance(text, str) else None
    if match is None or int(match[3]) > 65535:
        raise ValueError(wanted)
    return match[1] or match[2], int(match[3])


def port(number: object) -> object:
    """A TCP port."""
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 65535:
        raise ValueError(f"expected a port from 1 to 65535, got {number!r}")
    return number


def http_url(text: object) -> object:
    """An http or https URL without credentials; what may hold a password is not repeated in the message."""
    try:
        parts = urlsplit(text) if isinstance(text, str) else None
        usable = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
        parts = None
    if not usable:
        shown = "" if "@" in str(text) else f", got {text!r}"
        raise ValueError(f"expected a URL such as https://example.com/health{shown}")
    if parts is not None and parts.username is not None:
        raise ValueError("credentials do not belong in a URL: send them in `headers`, from {env: NAME} or {file: PATH}")
    return text


def base_url(text: object) -> str:
    """The URL of a server, with the path below which it serves, if any; without the slash at the end."""
    url = str(http_url(text))
    if re.search(r"[?#\s]", url):
        raise ValueError(f"expected a URL such as http://127.0.0.1:9093, got {url!r}")
    return url.rstrip("/")


def statuses(value: object) -> tuple[tuple[int, int], ...]:
    """Ranges of HTTP status codes from `200`, `200-299`, `2xx` or a list of these."""
    items = value if isinstance(value, list) else [value]
    return tuple(map(_status_range, items))


def _status_range(item: object) -> tuple[int, int]:
    match = re.fullmatch(r"([1-5])xx|(\d{3})(?:-(\d{3}))?", str(item))
    if isinstance(item, bool) or match is None:
        raise ValueError(f"expected a status such as 200, 200-299 or 2xx, or a list of them, got {item!r}")
    if match[1]:
        return int(match[1]) * 100, int(match[1]) * 100 + 99
    low, high = int(match[2]), int(match[3] or match[2])
    if not 100 <= low <= high <= 599:
        raise ValueError(f"expected statuses from 100 to 599, the lower first, got {item!r}")
    return low, high


def pattern(text: object) -> re.Pattern[str]:
    """A compiled regular expression (Python's syntax)."""
    try:
        return re.compile(text if isinstance(text, str) else "(")
    except re.error as error:
        raise ValueError(f"expected a regular expression, got {text!r}: {error.msg}") from error


def ca_file(text: object, info: ValidationInfo) -> Path:
    """The path of a file of certificates to trust, read once here so that a bad one is told at start."""
    if not isinstance(text, str):
        raise ValueError(f"expected the path of a PEM file, got {text!r}")
    path = info.context.folder / text if isinstance(info.context, Sources) else Path(text)
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(f"the file {text} cannot be used: {reason}") from error
    return path


def relative_path(text: object, info: ValidationInfo) -> Path:
    """A path, from the configuration's folder."""
    if not isinstance(text, str | Path):
        raise ValueError(f"expected a path, got {text!r}")
    return info.context.folder / text if isinstance(info.context, Sources) else Path(text)


def _named(schema: str, description: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": schema, "description": description, "examples": list(examples)})


Duration = Annotated[float, BeforeValidator(duration), _named("string", "A duration: 500ms, 10s, 5m, 1h30m.", "10s")]
Size = Annotated[int, BeforeValidator(size), _named("string", "A size: 512B, 64KiB, 1MiB.", "1MiB")]
Address = Annotated[
    tuple[str, int], BeforeValidator(address), _named("string", "Host and port to listen on.", "127.0.0.1:9877")
]
CaFile = Annotated[Path, BeforeValidator(ca_file), _named("string", "A PEM file of certificates to trust.", "ca.pem")]
RelativePath = Annotated[
    Path, BeforeValidator(relative_path), WithJsonSchema({"type": "string", "examples": ["state.sqlite"]})
]
"""A path, from the configuration's folder."""
Port = Annotated[int, BeforeValidator(port), Field(json_schema_extra={"minimum": 1, "maximum": 65535})]
HttpUrl = Annotated[str, BeforeValidator(http_url), _named("string", "An http or https URL.", "https://example.com/")]
_STATUS: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
Statuses = Annotated[
    tuple[tuple[int, int], ...],
    BeforeValidator(statuses),
    WithJsonSchema({"anyOf": [*_STATUS["anyOf"], {"type": "array", "items": _STATUS}]}),
]
Pattern = Annotated[
    re.Pattern[str],
    BeforeValidator(pattern),
    PlainSerializer(lambda compiled: compiled.pattern, return_type=str),
    _named("string", "A regular expression in Python's syntax.", "ok|healthy"),
]


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text):
        raise ValueError(
            "a name is lower-case letters, digits and _, begins with a letter and has at most 63 characters"
        )
    return text


Name = Annotated[str, AfterValidator(_name)]
