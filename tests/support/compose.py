"""The real Compose, which resolves the shipped file and needs no engine for that, and the Dockerfile's instructions."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.monitoring.yml"
EXAMPLE = ROOT / ".env.example"
PROFILES = [(), ("demo",), ("scale",), ("demo", "scale")]
EVERYTHING = PROFILES[-1]


def compose(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs it with nothing in the environment but this; the program itself, whose Python wrapper always exits 0."""
    package = find_spec("compose")
    assert package is not None
    assert package.submodule_search_locations
    program = Path(package.submodule_search_locations[0], "docker-compose")
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environ, timeout=60)


def resolved(*profiles: str, folder: Path = ROOT, env: Path = EXAMPLE, **environ: str) -> dict[str, Any]:
    """The file with these profiles, every variable replaced and every path absolute."""
    chosen = [f"--profile={profile}" for profile in profiles]
    ran = compose("-f", folder / FILE.name, f"--env-file={env}", *chosen, "config", "--format=json", **environ)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


@cache
def services() -> dict[str, dict[str, Any]]:
    """All services of all profiles."""
    return dict(resolved(*EVERYTHING)["services"])


def binds(configuration: Mapping[str, Any]) -> dict[str, set[str]]:
    """What is mounted from this machine: each source, and who mounts it (secrets and configurations included)."""
    found: dict[str, set[str]] = {}
    for name, service in configuration["services"].items():
        files = [
            configuration[kind][it["source"]]["file"] for kind in ("secrets", "configs") for it in service.get(kind, [])
        ]
        folders = [volume["source"] for volume in service.get("volumes", []) if volume["type"] == "bind"]
        for source in files + folders:
            found.setdefault(source, set()).add(name)
    return found


def copy(folder: Path) -> Path:
    """What make-secrets.sh and Compose read, in a folder of its own."""
    (folder / "scripts").mkdir(parents=True)
    for name in (FILE.name, EXAMPLE.name, "scripts/make-secrets.sh"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@dataclass(frozen=True)
class Stage:
    """A stage of the Dockerfile: what it is made from, and its instructions after that."""

    name: str
    base: str
    steps: list[tuple[str, str]]

    def all(self, keyword: str) -> list[str]:
        """The arguments of every such instruction."""
        return [argument for step, argument in self.steps if step == keyword]


def stages() -> dict[str, Stage]:
    """The Dockerfile's stages, the default target last."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    found: dict[str, Stage] = {}
    current = Stage("", "", [])
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        keyword, _, argument = line.partition(" ")
        if keyword == "FROM":
            base, _, name = argument.partition(" AS ")
            current = found[name] = Stage(name, base, [])
        elif keyword:
            current.steps.append((keyword, argument))
    return found


def sources(stage: Stage) -> list[str]:
    """What the stage copies from this folder."""
    copied = [argument.split() for argument in stage.all("COPY") if not argument.startswith("--from")]
    return [source.rstrip("/") for *from_here, _ in copied for source in from_here]
