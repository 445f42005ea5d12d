"""The description in docs/openapi.yml is what /v1/beacon does, whatever is sent to it."""

import asyncio
import json
import sys
from pathlib import Path

import yaml

from tests.ingest.beacon.conftest import ORIGIN
from tests.support.running import value

DESCRIPTION = Path(__file__).parents[3] / "docs/openapi.yml"


async def test_the_examples_of_the_description_are_taken(beacon):
    described = yaml.safe_load(DESCRIPTION.read_text())["paths"]["/v1/beacon"]["post"]["requestBody"]["content"]
    answers = []
    async with beacon() as it:
        for kind, content in described.items():
            for example in content["examples"].values():
                text = example["value"] if kind == "text/plain" else json.dumps(example["value"])
                answers.append(await it.post("/v1/beacon", text.encode(), Origin=ORIGIN, Content_Type=kind))
        page = await it.page()

    assert [status for status, _, _ in answers] == [204] * 4
    assert len([line for line in page.splitlines() if "_count{" in line]) == 4


async def test_whatever_is_sent_is_answered_as_described(beacon, tmp_path):
    async with beacon() as it:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", str(DESCRIPTION), "--url", it.url),
            *("--include-path", "/v1/beacon", "--phases", "examples,coverage,fuzzing", "--max-examples", "60"),
            # What is described and yet refused: text that is no JSON, and numbers beyond those of browsers.
            *("--exclude-checks", "positive_data_acceptance", "--header", f"Origin: {ORIGIN}"),
            *("--generation-database", "none", "--seed", "1", "--no-color"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told = (await process.communicate())[0].decode()
        page = await it.page()

    assert process.returncode == 0, told
    assert value(page, 'chatterfy_ingest_rejected_total{endpoint="beacon",reason="body"}') > 20
