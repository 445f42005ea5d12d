"""Docs are complete, current, and their links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import click
import pytest
import yaml

from exporter.business.query import Header
from exporter.cli import main
from exporter.config.model import Options
from exporter.limits import SECTIONS, LimitsOptions
from exporter.probes.base import KINDS
from exporter.settings import Settings
from exporter.tables import LOGICAL
from scripts import docs

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
PAGES = [
    path for path in ROOT.rglob("*.md") if not {".venv", ".tools", "node_modules"} & set(path.relative_to(ROOT).parts)
]


def test_generated_docs_are_current():
    checked = subprocess.run(
        [sys.executable, "-m", "scripts.docs", "--check"], cwd=ROOT, capture_output=True, text=True
    )

    assert (checked.stdout, checked.returncode) == ("", 0)


def test_every_kind_and_every_option_is_documented():
    text = docs.configuration()

    for name, kind in KINDS.items():
        section = text.split(f"## A probe of kind `{name}`\n")[1].split("\n## ")[0]
        for option, field in kind.model_fields.items():
            assert f"| `{field.alias or option}` |" in section
            assert option == "kind" or field.description


@pytest.mark.parametrize("section", sorted({*Settings.model_fields} - {"listen", "environment", "probes"}))
def test_every_section_and_every_key_of_it_is_documented_and_in_the_example(section):
    text = docs.configuration().split(f"## `{section}`\n")[1].split("\n## ")[0]
    keys = model_of(section).model_fields.items()

    assert section in yaml.safe_load((ROOT / "config.example.yml").read_text())
    for key, field in keys:
        assert f"`{field.alias or key}`" in text, key
        assert field.description
    assert "{'" not in text
    assert "None" not in text


def test_every_endpoint_of_the_ingest_listener_and_every_key_of_it_is_documented_and_in_the_example():
    text = docs.configuration().split("## `ingest`\n")[1].split("\n## ")[0]
    example = yaml.safe_load((ROOT / "config.example.yml").read_text())["ingest"]

    sections: dict[str, type[Options]] = {**SECTIONS, "limits": LimitsOptions}
    for name, section in sections.items():
        own = text.split(f"### `ingest.{name}`\n")[1].split("\n### ")[0]
        assert name in example, name
        for key, field in section.model_fields.items():
            assert f"| `{key}` |" in own, f"{name}.{key}"
            assert field.description, f"{name}.{key}"


def model_of(section: str) -> type[Options]:
    """The section's model, also where the section may be left out."""
    annotation = Settings.model_fields[section].annotation
    kinds = [
        kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type) and issubclass(kind, Options)
    ]
    return kinds[0]


def test_every_key_of_a_query_s_header_and_every_logical_column_is_documented():
    text = docs.queries()

    for key in Header.model_fields:
        assert f"| `{key}` |" in text
    for table, columns in LOGICAL.items():
        assert f"| `{table}` | {', '.join(f'`{column}`' for column in columns)} |" in text


def test_every_command_stands_in_the_readme_or_the_docs():
    text = "".join(path.read_text() for path in PAGES)

    for command in main.list_commands(click.Context(main)):
        assert re.search(rf"chatterfy-exporter {command}|`{command}`", text), command


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_every_decision_has_a_number_of_its_own_and_says_why():
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))

    for number, path in enumerate(decisions, 1):
        assert path.name.startswith(f"{number:04}-")
        assert path.read_text().startswith(f"# {number}. ")
        assert "**Decided.**" in path.read_text()
        assert "**Why.**" in path.read_text()


def test_the_tests_mirror_the_package():
    for test in (ROOT / "tests/probes").glob("test_*.py"):
        assert (ROOT / "exporter/probes" / test.name.removeprefix("test_")).exists(), test.name
    for kind in KINDS:
        assert (ROOT / f"tests/probes/test_{kind}.py").exists(), kind
