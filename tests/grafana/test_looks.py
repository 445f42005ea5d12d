"""How panels are laid out and dressed."""

import pytest

from tests.support.dashboards.files import screens
from tests.support.dashboards.looks import dress_problems, grid_problems

pytestmark = pytest.mark.fast
each_screen = pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)


@each_screen
def test_panels_fill_their_lines_without_overlap(screen):
    assert grid_problems(screen) == []


@each_screen
def test_every_panel_says_what_it_shows(screen):
    assert dress_problems(screen) == []
