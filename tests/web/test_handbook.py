"""The runbooks as pages of a running exporter."""

import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.chromium import browser
from tests.support.runbooks import RUNBOOKS

ROOT = Path(__file__).parents[2]


@pytest.mark.fast
async def test_the_index_leads_to_every_runbook_and_these_to_each_other(exporter):
    async with exporter("environment: staging") as it:
        status, index = await it.get("/runbooks")
        pages = {name: await it.get(f"/runbooks/{name}") for name in RUNBOOKS}
        links = {
            link for _, page in [(status, index), *pages.values()] for link in re.findall(r'href="(/[^"]*)"', page)
        }
        answers = {link: (await it.get(link))[0] for link in links}

    assert status == 200
    assert "Runbooks · Chatterfy staging" in index
    assert {f"/runbooks/{name}" for name in RUNBOOKS} <= set(re.findall(r'href="([^"]*)"', index))
    assert {status for status, _ in pages.values()} == {200}
    assert {*answers.values()} == {200}
    assert not re.search(r'href="[^"]*\.md"', "".join(page for _, page in pages.values()))


@pytest.mark.fast
async def test_a_runbook_is_html_with_its_code_escaped(exporter):
    async with exporter("") as it:
        _, page = await it.get("/runbooks/CertificateExpiring")

    assert "<title>CertificateExpiring · Chatterfy production</title>" in page
    assert "<h2>First three checks</h2>" in page
    assert "&lt;/dev/null" in page
    assert 'http-equiv="refresh"' not in page


@pytest.mark.fast
@pytest.mark.parametrize(
    "name", ["Nothing", "..%2F..%2F..%2FREADME", "%2Fetc%2Fpasswd", "ProbeDown.md", "%3Cscript%3E", "%00", "%2A"]
)
async def test_what_is_no_alert_is_404_in_plain_words(exporter, name):
    async with exporter("") as it:
        answer = await it.get(f"/runbooks/{name}")

    assert answer == (404, "No alert has this name; /runbooks lists them all.\n")


@pytest.mark.parametrize("width", [390, 1200], ids=["phone", "desk"])
async def test_runbooks_are_readable(exporter, tmp_path, width):
    async with exporter("") as it, browser(tmp_path) as tab:
        await tab.look(width, 900)
        widths = {}
        for path in ["/runbooks", *(f"/runbooks/{name}" for name in RUNBOOKS)]:
            await tab.open(it.url + path)
            widths[path] = await tab.evaluate("document.documentElement.scrollWidth")

    assert {path: wide for path, wide in widths.items() if wide > width} == {}


def test_a_wheel_has_the_runbooks_as_files(tmp_path):
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True)

    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        for name, text in RUNBOOKS.items():
            assert wheel.read(f"exporter/web/runbooks/{name}.md").decode() == text
