"""Over 30 days of lifelike data in a real Prometheus every question has an answer, in time."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from grafana.past import END, Programs, prometheus
from grafana.past.story import Story
from tests.support.dashboards.asking import Asking, answer_problems
from tests.support.dashboards.files import screens
from tests.support.programs import program

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

each_screen = pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)

CACHE = Path(__file__).parents[2] / ".tools/past"
"""The data takes minutes to make, and is the same until what it is made from changes."""

NOTHING: dict[str, str] = {}
"""What shows nothing, by dashboard, panel and query: nothing of the kind has happened in those days."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def past() -> AsyncIterator[Asking]:
    programs = Programs(program("prometheus"), program("promtool"))
    async with prometheus(programs=programs, cache=CACHE) as url, aiohttp.ClientSession() as session:
        yield Asking(session, url, END)


@each_screen
async def test_every_question_of_a_dashboard_is_answered(past, screen):
    answers = [answer async for answer in past.answers(screen)]

    problems = answer_problems(answers, NOTHING)
    needless = [it.where for it in answers if it.where in NOTHING and not it.empty]
    assert not problems, "\n".join(problems)
    assert not needless, "these show something: " + ", ".join(needless)


@each_screen
async def test_a_dashboard_s_marks_are_there(past, screen):
    problems = answer_problems([answer async for answer in past.annotations(screen)], {})

    assert not problems, "\n".join(problems)


async def test_a_deploy_is_marked_where_it_was_and_not_where_it_was_asked_for(past):
    screen = next(screen for screen in screens() if screen.name == "business")
    (index,) = [place for place, it in enumerate(screen.annotations) if it.get("useValueForTime")]

    answers = [answer async for answer in past.annotations(screen)]

    marks = {float(value) / 1000 for one in answers[index].series for _, value in one["values"]}
    assert marks == {*Story.until(END).deploys.values()}


async def test_what_shows_nothing_is_a_question():
    asked = {f"{screen.name}/{panel.title}/{target.ref}" for screen in screens() for panel, target in screen.targets}

    assert {*NOTHING} <= asked


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        ('chatterfy_users{environment="$environment", plan="none"}', "shows nothing"),
        ('0 * chatterfy_users{environment="$environment"} / 0', "shows nothing"),
        ("sum(chatterfy_users", "parse error"),
        ("chatterfy_orgs", "are called"),
    ],
)
async def test_a_question_without_an_answer_is_seen(past, expr, problem):
    screen = next(screen for screen in screens() if screen.name == "overview").changed()
    screen.panels[0].raw["targets"] = [{"refId": "A", "expr": expr, "legendFormat": "it"}]

    answers = [answer async for answer in past.answers(screen)]

    assert problem in answer_problems(answers, NOTHING)[0]


async def test_a_choice_without_values_is_seen(past):
    screen = next(screen for screen in screens() if screen.name == "overview").changed()
    screen.raw["templating"]["list"][1]["query"] = "label_values(chatterfy_nothing, environment)"

    answers = [answer async for answer in past.answers(screen)]

    assert "overview/$environment: shows nothing" in answer_problems(answers, NOTHING)
