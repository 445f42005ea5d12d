"""Secrets: named in a configuration, never written in it, and never printed."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that prints as `***`; `reveal()` is the only way to it."""

    _value: str

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True)
class Sources:
    """Where secrets come from while a configuration is read: the environment, and the folder of relative files."""

    environ: Mapping[str, str]
    folder: Path
    seen: list[str] = field(default_factory=list)
    """Every secret that was handed out, so that it can be kept out of all that is printed."""


SHORTEST = 4
"""Characters of the shortest secret that is replaced in texts."""

_WANTED = "expected {env: NAME} or {file: PATH}, so that the secret itself stays out of the configuration"


def resolve(source: object, info: ValidationInfo) -> object:
    """Turns `{env: NAME}` or `{file: PATH}` into a Secret; the ValueError never shows what was written instead."""
    sources = info.context
    if not isinstance(source, dict) or len(source) != 1 or not isinstance(sources, Sources):
        raise ValueError(_WANTED)
    ((kind, name),) = source.items()
    if kind == "env" and isinstance(name, str):
        value = _from_environment(name, sources)
    elif kind == "file" and isinstance(name, str):
        value = _from_file(name, sources)
    else:
        raise ValueError(_WANTED)
    sources.seen.append(value)
    return Secret(value)


def _from_environment(name: str, sources: Sources) -> str:
    value = sources.environ.get(name, "").strip()
    if not value:
        raise ValueError(f"the environment variable {name} is not set or empty")
    return value


def _from_file(name: str, sources: Sources) -> str:
    path = sources.folder / name
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(f"the file {name} cannot be read: {reason}") from error
    if not value:
        raise ValueError(f"the file {name} is empty")
    return value


_SCHEMA: dict[str, Any] = {
    "description": "A secret: the environment variable or the file that holds it.",
    "oneOf": [
        {"type": "object", "properties": {key: {"type": "string"}}, "required": [key], "additionalProperties": False}
        for key in ("env", "file")
    ],
}

SecretField = Annotated[
    Secret,
    BeforeValidator(resolve),
    PlainSerializer(repr, return_type=str),
    WithJsonSchema(_SCHEMA),
]
"""A model's field that holds a Secret."""


def plain_or_secret(source: object, info: ValidationInfo) -> object:
    """Takes text as it is, and a mapping as the source of a secret."""
    return Secret(source) if isinstance(source, str) else resolve(source, info)


PlainOrSecret = Annotated[
    Secret,
    BeforeValidator(plain_or_secret),
    PlainSerializer(repr, return_type=str),
    WithJsonSchema({"oneOf": [{"type": "string"}, *_SCHEMA["oneOf"]]}),
]
"""Text that may hold a secret, such as a header's value."""


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that replaces every secret in a text by `***`: whole, percent-encoded, and a URL's password alone.

    What is shorter than four characters is left: it hides nothing, and without it no log could be read.
    """
    hidden: set[str] = set()
    for secret in secrets:
        hidden |= {secret, quote(secret, safe="")}
        if "://" in secret:
            password = _password(secret)
            hidden |= {password, unquote(password)}
    hidden = {text for text in hidden if len(text) >= SHORTEST}
    if not hidden:
        return str
    pattern = re.compile("|".join(re.escape(text) for text in sorted(hidden, key=len, reverse=True)))
    return lambda text: pattern.sub("***", text)


def _password(url: str) -> str:
    """The password of a URL, even a malformed one: what stands between the first colon and the last at sign."""
    authority = url.split("://", 1)[1].rpartition("@")[0]
    return authority.partition(":")[2]
