"""Query files: what is wrong is told with file, line and advice."""

import pytest

from exporter.business.query import load_queries
from exporter.business.shipped import SHIPPED
from tests.support.cli import run

pytestmark = pytest.mark.fast

GOOD = """-- metric: own_things
-- help: Things.
-- reads: [org]
-- labels: [plan]
SELECT plan, count(*) AS value FROM org GROUP BY 1;
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "queries"
    folder.mkdir()
    (tmp_path / "config.yml").write_text("queries: {folders: [queries]}\n")
    return folder


def check(folder):
    result = run("config", "check", "--config", str(folder.parent / "config.yml"))
    return result.stderr.replace(f"{folder}/", "")


def test_a_query_of_ones_own_is_good_and_its_semicolon_is_no_part_of_it(folder):
    (folder / "things.sql").write_text(GOOD)

    (query,) = load_queries(folder)

    assert check(folder) == ""
    assert query.name == "things"
    assert query.sql == "SELECT plan, count(*) AS value FROM org GROUP BY 1"
    assert query.timeout == 10.0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("-- metric: own_things\n", ""), "things.sql:1: expected either `metric` with `help`, or `metrics`"),
        (("labels: [plan]", "lables: [plan]"), "things.sql:4: unknown key 'lables' (did you mean 'labels'?)"),
        (("reads: [org]", "reads: [orgs]"), "things.sql:3: reads[0]: expected a logical table (app_user, "),
        (("own_things", "Things"), "things.sql:1: metric: Things: not a metric name"),
        (("own_things", "own_things_total"), "things.sql:1: metric: own_things_total: `_total` belongs to counters"),
        (
            ("own_things", "chatterfy_users"),
            "things.sql:1: metric: chatterfy_users: not a metric name, or declared twice",
        ),
        (
            ("SELECT plan", "DELETE FROM plan"),
            "things.sql:5: expected one SELECT, without a semicolon, after the header",
        ),
        (("GROUP BY 1;", "GROUP BY 1; DROP TABLE org"), "things.sql:5: expected one SELECT"),
        (("labels: [plan]", "labels: [plan]\n-- kind: counter"), "things.sql:1: `time` belongs to counters"),
        (
            ("labels: [plan]", "labels: [plan]\n-- time: org.plam"),
            "things.sql:5: time: expected a logical table's time column",
        ),
        (
            ("labels: [plan]", "labels: [plan]\n-- kind: counter\n-- time: message.created_at"),
            "things.sql:1: the table of `time` must be among `reads`",
        ),
        (("labels: [plan]", "labels: [plan]\n-- buckets: [1, 2]"), "things.sql:1: `buckets` belong to histograms"),
        (
            ("labels: [plan]", "labels: [plan]\n-- fill: {pln: [a]}"),
            "things.sql:1: `normalise` names labels, and `fill`",
        ),
        (("labels: [plan]", "labels: [plan]\n-- timeout: 1m"), "things.sql:1: timeout must be shorter than every"),
        (("labels: [plan]", "labels: [Plan]"), "things.sql:4: labels[0]: "),
        (("labels: [plan]", "labels: [plan"), "things.sql:"),
        (
            (
                "metric: own_things\n-- help: Things.",
                "kind: histogram\n-- metrics: {own: {column: a, help: b}}\n-- buckets: [1]\n-- time: org.created_at",
            ),
            "things.sql:1: a histogram stands alone",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(folder, change, told):
    (folder / "things.sql").write_text(GOOD.replace(*change))

    assert check(folder).startswith(told)


def test_names_of_files_are_held_to_a_rule_and_unreadable_ones_are_told(folder):
    (folder / "My Things.sql").write_text(GOOD)
    (folder / "binary.sql").write_bytes(b"\xff\xfe")

    assert check(folder) == (
        "My Things.sql: a query's file is named in lower-case letters, digits and _\n"
        "binary.sql: cannot be read as UTF-8 text\n"
    )


def test_two_queries_cannot_have_one_name_or_one_metric(folder):
    (folder / "users.sql").write_text(GOOD)
    (folder / "things.sql").write_text(GOOD)

    told = check(folder)

    assert "users.sql: there is another query of this name: " in told
    assert "users.sql: metric: own_things is declared by another query: things.sql" in told


def test_a_folder_that_is_not_there_is_told(folder):
    folder.rmdir()

    assert (
        run("config", "check", "--config", str(folder.parent / "config.yml")).stderr
        == f"{folder}: no such folder of queries\n"
    )


def test_every_shipped_query_explains_itself_and_is_read_often_enough():
    for query in SHIPPED:
        assert query.timeout < query.header.every
        assert all(metric.help.endswith(".") for metric, _ in query.metrics)
