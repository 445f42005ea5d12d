"""YAML with positions: plain data, and the line that every key stands on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from exporter.errors import ConfigError, Problem

Key = tuple[str | int, ...]
"""Where a value stands: mapping keys and list positions from the top."""


@dataclass(frozen=True)
class Document:
    """A configuration before it is checked: its data, its name for messages, and the line of every key."""

    data: Any
    name: str
    lines: dict[Key, int] = field(default_factory=dict)

    def where(self, key: Key) -> str:
        """`file:line` of the key, or of the nearest one around it that is written down."""
        while key and key not in self.lines:
            key = key[:-1]
        line = self.lines.get(key)
        return f"{self.name}:{line}" if line else self.name


class _Loader(yaml.SafeLoader):
    """SafeLoader without dates: `2024-01-01` is text here, as whoever wrote it meant."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (as the base class has it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read(path: Path) -> Document:
    """Reads a YAML file; raises ConfigError when it cannot be read or is not YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([Problem(str(path), "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(str(path), "", "cannot be read: not UTF-8 text")]) from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Document:
    """Parses YAML text; `name` is the file's name in messages."""
    try:
        loader = _Loader(text)
        builder = _Builder(loader, name)
        node = loader.get_single_node()
        data = builder.build(node, ()) if node else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ConfigError([Problem(where, "", f"not valid YAML: {error.problem}")]) from error
    except yaml.YAMLError as error:
        raise ConfigError([Problem(name, "", "not valid YAML: it holds characters that are not text")]) from error
    if builder.problems:
        raise ConfigError(sorted(builder.problems, key=lambda problem: int(problem.where.rpartition(":")[2])))
    return Document(data, name, builder.lines)


class _Builder:
    def __init__(self, loader: _Loader, name: str) -> None:
        self._loader = loader
        self._name = name
        self._open: set[int] = set()
        self.lines: dict[Key, int] = {}
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node, at: Key) -> Any:
        self.lines.setdefault(at, node.start_mark.line + 1)
        if id(node) in self._open:
            self._problem(node, at, "an alias that contains itself")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, at)
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*at, place)) for place, item in enumerate(node.value)]
            return self._loader.construct_object(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, at: Key) -> dict[str, Any]:
        written: dict[str, int] = {}
        data: dict[str, Any] = {}
        for key_node, _ in node.value:
            name = key_node.value
            if isinstance(name, str) and name in written and name != "<<":
                self._problem(key_node, (*at, name), f"written twice, first on line {written[name]}")
            if isinstance(name, str):
                written.setdefault(name, key_node.start_mark.line + 1)
        self._loader.flatten_mapping(node)
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, at, "a key must be plain text")
                continue
            key = (*at, key_node.value)
            self.lines[key] = key_node.start_mark.line + 1
            data[key_node.value] = self.build(value_node, key)
        return data

    def _problem(self, node: yaml.Node, at: Key, message: str) -> None:
        self.problems.append(Problem(f"{self._name}:{node.start_mark.line + 1}", dotted(at), message))


def dotted(key: Key) -> str:
    """The key as people write it: `probes.web.status[0]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
