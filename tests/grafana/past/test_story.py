"""The samples before any Prometheus has them: the same each time, of all that the demo has, at moments that fit."""

from bisect import bisect_right
from statistics import mean

import pytest
from click.testing import CliRunner

from grafana.past import END, Programs, grid
from grafana.past.__main__ import main
from grafana.past.book import Book, series
from grafana.past.chance import Wave, dice, poisson
from grafana.past.counting import Counting
from grafana.past.filling import chapters
from grafana.past.grid import Grid
from grafana.past.pace import REQUESTS, Pace
from grafana.past.probes import USUAL, probes
from grafana.past.record import AVERAGED
from grafana.past.rules import groups, levels, seconds
from grafana.past.story import MINUTE, Story, share
from tests.support.programs import program

STORY = Story.until(END)
TIERS = {name: tiers for name, tiers in vars(grid).items() if name.isupper() and isinstance(tiers, tuple)}
LOOKBACK = 5 * MINUTE


def _written(path, end):
    """The last chapter: what the exporter, Prometheus and Alertmanager say of themselves."""
    *_, chapter = chapters(Story.until(end))
    with Book(path) as book:
        chapter(book)
    return path.read_bytes()


def test_the_same_end_gives_the_same_bytes(tmp_path):
    first, second = (_written(tmp_path / name, END) for name in ("first", "second"))

    assert first == second
    assert first.endswith(b"# EOF\n")


def test_another_end_gives_other_bytes(tmp_path):
    assert _written(tmp_path / "it", END) != _written(tmp_path / "it", END + 60)


def test_the_end_is_a_moment_of_evaluation():
    assert Story.until(END + 14.9) == STORY


def test_every_probe_of_the_demo_has_a_past():
    assert {probe.name for probe in probes(STORY)} == USUAL.keys()


def test_a_window_s_share_stays_between_nothing_and_all():
    assert [share(moment, (10, 20)) for moment in (0, 10, 15, 20, 30)] == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize("tiers", TIERS.values(), ids=TIERS)
def test_moments_lead_up_to_the_end_without_a_gap_that_prometheus_would_see(tiers):
    it = Grid(STORY, tiers)

    assert it.times == sorted(set(it.times))
    assert it.times[-1] == STORY.end
    assert max(it.steps) < LOOKBACK
    assert all((last - begin) % step == 0 for begin, last, step in it.spans)


@pytest.mark.parametrize("tiers", [grid.PLAIN, grid.QUIET])
def test_no_rule_is_evaluated_long_after_a_sample_that_says_how_old_something_is(tiers):
    samples, evaluated = Grid(STORY, tiers).times, Grid(STORY, grid.EVALUATIONS).times
    ages = [time - samples[bisect_right(samples, time) - 1] for time in evaluated if time >= samples[0]]

    assert max(ages) <= 30


def test_what_a_rule_reads_has_been_recorded_before():
    done: set[str] = set()
    every = {rule.record for group in groups() for rule in group.rules if rule.record}
    for level in levels():
        for rule in level:
            assert {name for name in every if name in rule.expr.replace("(", " ").replace("[", " ").split()} <= done, (
                rule
            )
        done |= {rule.record for rule in level}

    assert done == every
    assert done >= AVERAGED


@pytest.mark.parametrize(("text", "expected"), [("15s", 15), ("2m", 120), ("1h30m", 5400), ("30d", 2592000)])
def test_durations_are_read_as_prometheus_writes_them(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("expected", [0.0, 0.3, 4.0, 250.0])
def test_as_many_events_come_as_are_expected(expected):
    random = dice("events")

    assert mean(poisson(random, expected) for _ in range(20_000)) == pytest.approx(expected, rel=0.05)


def test_a_wave_stays_around_one():
    wave = Wave(0.2, "it")
    values = [wave(moment) for moment in range(0, 10**6, 100)]

    assert mean(values) == pytest.approx(1, abs=0.01)
    assert 0.65 < min(values) < max(values) < 1.35


def test_what_the_process_counts_begins_anew_with_the_deploy_and_falls_at_no_other_moment():
    counting = Counting(STORY, grid.PLAIN)

    values = counting.counted(lambda _: 0.01, "it")

    falls = [
        time for time, one, next_one in zip(counting.grid.times[1:], values, values[1:], strict=False) if next_one < one
    ]
    assert falls == [STORY.deploy]
    assert values[-1] == pytest.approx(0.01 * (STORY.end - STORY.deploy), rel=0.05)


def test_what_waited_for_the_database_comes_into_it_when_it_is_back():
    pace = Pace(STORY)
    begin, end = STORY.down
    came = sum(
        requests
        for time, requests in zip(pace.grid.times, pace.requests, strict=True)
        if begin <= time < begin + 20 * MINUTE
    )
    usual = sum(
        step * REQUESTS * pace.busy(time)
        for time, step in zip(pace.grid.times, pace.grid.steps, strict=True)
        if end <= time < begin + 20 * MINUTE
    )

    assert came - usual == pytest.approx(pace.waits(end))
    assert pace.waits(begin) == pace.waits(STORY.drain[1]) == 0 < pace.waits(end)


def test_label_values_are_escaped():
    assert series("it", {"b": 'a "quote"', "a": "back\\slash"}) == r'it{a="back\\slash",b="a \"quote\""}'


def test_without_prometheus_it_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"install-debian\.sh"):
        Programs.found(str(tmp_path))


def test_a_folder_that_is_there_is_kept(tmp_path):
    for name in ("prometheus", "promtool"):
        program(name)  # which the command looks for before all else
    result = CliRunner().invoke(main, ["--data", str(tmp_path)])

    assert (result.exit_code, result.output) == (0, "")
