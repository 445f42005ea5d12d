"""The description in docs/openapi.yml is what the endpoints do, whatever is sent to them: schemathesis asks."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.keeping import app_database, keeping
from tests.support.running import value

DESCRIPTION = Path(__file__).parents[2] / "docs/openapi.yml"
HOOKS = Path(__file__).parents[1] / "support/schemathesis_hooks.py"
PATHS = {"events": "/v1/events", "requests": "/v1/metrics"}
# What is described and yet refused: a time out of the window, NUL, and data that is too long or too deep.
UNDESCRIBED = "positive_data_acceptance"


@pytest.fixture
async def it(postgres_cluster, tmp_path):
    async with app_database(postgres_cluster) as url, keeping(url, tmp_path) as it:
        yield it


async def test_the_examples_of_the_description_are_taken(it):
    described = yaml.safe_load(DESCRIPTION.read_text())
    answers = []
    for path in PATHS.values():
        for kind, content in described["paths"][path]["post"]["requestBody"]["content"].items():
            for example in content["examples"].values():
                text = example["value"] if isinstance(example["value"], str) else json.dumps(example["value"])
                answers.append(await it.post(path=path, data=text, content_type=kind))

    assert [status for status, _ in answers] == [202] * 5


@pytest.mark.parametrize("name", PATHS)
async def test_whatever_is_sent_is_answered_as_described(it, tmp_path, name):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", str(DESCRIPTION), "--url", it.url),
        *("--include-path", PATHS[name], "--exclude-checks", UNDESCRIBED, "--phases", "examples,coverage,fuzzing"),
        *("--max-examples", "150", "--generation-database", "none", "--seed", "1", "--no-color"),
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await process.communicate())[0].decode()
    page = await it.page()

    assert process.returncode == 0, told
    assert value(page, f'chatterfy_ingest_rejected_total{{endpoint="{name}",reason="body"}}') > 50
