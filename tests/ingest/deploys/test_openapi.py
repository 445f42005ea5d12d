"""The description in docs/openapi.yml is what /v1/deploys does, whatever is sent to it."""

import asyncio
import sys
from pathlib import Path

import yaml

from tests.ingest.deploys.standins import TOKEN, told
from tests.support.running import value

DESCRIPTION = Path(__file__).parents[3] / "docs/openapi.yml"


async def test_the_examples_of_the_description_are_taken(deploys):
    described = yaml.safe_load(DESCRIPTION.read_text())["paths"]["/v1/deploys"]["post"]["requestBody"]["content"]
    async with deploys("slack") as it:
        answers = [await told(it, example["value"]) for example in described["application/json"]["examples"].values()]

    assert [status for status, _ in answers] == [200, 200]


async def test_whatever_is_sent_is_answered_as_described(deploys, tmp_path):
    async with deploys() as it:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", str(DESCRIPTION), "--url", it.url),
            *("--include-path", "/v1/deploys", "--phases", "examples,coverage,fuzzing", "--max-examples", "60"),
            # What is described and yet refused: a URL that leads nowhere, or has a login in it.
            *("--exclude-checks", "positive_data_acceptance", "--header", f"Authorization: Bearer {TOKEN}"),
            *("--generation-database", "none", "--seed", "1", "--no-color"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        text = (await process.communicate())[0].decode()
        page = await it.page()

    assert process.returncode == 0, text
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="deploys",reason="body"}') > 20
