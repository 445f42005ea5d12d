"""Pictures of dashboards, by a real browser over a real Prometheus."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from grafana.preview.drawing import Drawn, Picture, draw
from grafana.preview.page import FOLDER, CannotDrawError, build
from tests.support.programs import cannot, program
from tests.support.screens import EVERY_KIND, MOMENT, filled_prometheus, panel, screen, target

ROOT = Path(__file__).parents[3]
SUBSTITUTES = {"gauge", "heatmap", "piechart", "state-timeline"}


@pytest.fixture(scope="module", autouse=True)
def page() -> None:
    try:
        build()
    except CannotDrawError as error:
        cannot(str(error))


async def drawn(folder: Path, *screens: str) -> list[Drawn]:
    pictures = [Picture(folder / f"{i}.json", folder / f"{i}.png") for i in range(len(screens))]
    for picture, text in zip(pictures, screens, strict=True):
        picture.dashboard.write_text(text)
    async with filled_prometheus(folder) as url:
        return [each async for each in draw(pictures, url, MOMENT)]


async def test_every_kind_of_panel_is_drawn_and_twice_the_same(tmp_path):
    first, second = await drawn(tmp_path, screen(*EVERY_KIND), screen(*EVERY_KIND))
    image = first.picture.picture.read_bytes()
    panels = first.report["panels"]

    assert list(first.faults()) == []
    assert image == second.picture.picture.read_bytes()
    assert image.startswith(b"\x89PNG")
    assert struct.unpack(">I", image[16:20]) == (1600,)
    assert first.report["annotations"] == 1
    assert {each["type"] for each in panels if each["substitute"]} == SUBSTITUTES
    assert [each["title"] for each in panels][-2:] == ["Only /v1/chat", "Only /v1/models"]


async def test_a_panel_that_shows_nothing_is_named_with_the_reason(tmp_path):
    broken = screen(
        panel("timeseries", "Wrong query", target("sum(")),
        panel("stat", "Without data", target("nothing_of_this_name")),
        panel("news", "Unknown", target("vector(1)")),
        panel("table", "Not merged", *(target("vector(1)", ref, format="table") for ref in "AB")),
        panel("stat", "Other source", target("vector(1)", datasource={"type": "loki", "uid": "x"})),
    )

    (only,) = await drawn(tmp_path, broken)

    wrong, empty, unknown, apart, other = only.faults()
    assert wrong.startswith("0: Wrong query: A: ")
    assert "parse error" in wrong
    assert empty == "0: Without data: no data"
    assert unknown == "0: Unknown: a panel of kind news cannot be drawn here"
    assert apart.startswith("0: Not merged: a table of 2 frames")
    assert other == "0: Other source: A: a data source of type loki cannot be asked here"


async def test_text_that_does_not_fit_is_told(tmp_path):
    narrow = {"x": 0, "y": 0, "w": 3, "h": 6}
    title = "A title too long for three columns"

    (only,) = await drawn(tmp_path, screen(panel("stat", title, target("vector(1)"), gridPos=narrow)))

    assert list(only.remarks()) == [f"0: {title}: cut off: {title!r}"]


async def test_without_a_prometheus_every_dashboard_is_named(tmp_path, unused_tcp_port):
    picture = Picture(tmp_path / "screen.json", tmp_path / "screen.png")
    picture.dashboard.write_text(screen(*EVERY_KIND))

    (only,) = [each async for each in draw([picture], f"http://127.0.0.1:{unused_tcp_port}", MOMENT)]

    assert "ECONNREFUSED" in next(iter(only.faults()))


def test_the_command_exits_with_1_when_a_panel_has_no_picture(tmp_path, unused_tcp_port):
    nothing = f"http://127.0.0.1:{unused_tcp_port}"
    command = [sys.executable, "-m", "grafana.preview", "overview", "--prometheus", nothing, "--into", str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 1
    assert "wrong: overview: " in done.stderr
    assert (tmp_path / "overview.png").exists()


def test_the_page_is_tidy_and_its_types_hold():
    done = subprocess.run([program("npm"), "run", "check"], cwd=FOLDER, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_names_no_registry():
    lock = (FOLDER / "package-lock.json").read_text()

    assert '"resolved"' not in lock
