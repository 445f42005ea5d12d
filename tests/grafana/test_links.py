"""What dashboards name is there: data sources, variables, other dashboards, runbooks."""

from pathlib import Path

import pytest
import yaml

from tests.support.dashboards.files import FOLDER, screens
from tests.support.dashboards.links import chosen_by_default, link_problems, source_problems
from tests.support.dashboards.variables import variable_problems

pytestmark = pytest.mark.fast
each_screen = pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)


@each_screen
def test_everything_asks_the_data_source_that_is_chosen(screen):
    assert source_problems(screen) == []


@each_screen
def test_the_data_source_that_is_chosen_at_first_is_provisioned(screen):
    files = [yaml.safe_load(path.read_text()) for path in (FOLDER.parents[1] / "datasources").glob("*.yml")]
    kinds = {source["uid"]: source["type"] for file in files for source in file["datasources"]}

    assert kinds[chosen_by_default(screen)] == "prometheus"


@each_screen
def test_every_variable_is_defined_and_used(screen):
    assert variable_problems(screen) == []


@each_screen
def test_every_link_leads_somewhere(screen):
    assert link_problems(screen) == []


def test_runbooks_are_where_the_alerts_say():
    configuration = yaml.safe_load((Path(__file__).parents[2] / "prometheus/prometheus.yml").read_text())
    address = configuration["global"]["external_labels"]["runbooks"]

    for screen in screens():
        assert {it.query for it in screen.variables if it.name == "runbooks"} <= {address}
