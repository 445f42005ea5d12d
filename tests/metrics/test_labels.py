"""Label values from outside have a place, or are `other`."""

import pytest

from exporter.metrics.labels import LONGEST, Places
from exporter.metrics.paths import PATH_RULES, normaliser
from exporter.metrics.store import DROPPED, Store

pytestmark = pytest.mark.fast
METRIC = DROPPED


@pytest.fixture
def store() -> Store:
    return Store(2000)


def dropped(store: Store) -> float:
    samples = [sample for changed in store.changes().values() for sample in changed]
    return sum(it.value for it in samples if it.metric is DROPPED and isinstance(it.value, float))


def test_declared_values_have_a_place_and_others_do_as_long_as_there_are_some(store):
    places = Places(store, ["a"], cap=1)

    values = [places.value(METRIC, value) for value in ("b", "c", "a", "b")]

    assert values == ["b", "other", "a", "b"]
    assert dropped(store) == 1


def test_where_only_declared_values_have_a_place_other_is_what_was_asked_for(store):
    assert Places(store, ["a"]).value(METRIC, "b") == "other"
    assert dropped(store) == 0


def test_what_is_too_long_takes_no_place(store):
    places = Places(store, cap=1)

    values = [places.value(METRIC, value) for value in ("x" * (LONGEST + 1), "a")]

    assert values == ["other", "a"]
    assert dropped(store) == 0


@pytest.mark.parametrize("value", ["\ud800x", "a\nb", "\x00", "\u202ea"])
def test_what_cannot_be_printed_takes_no_place(store, value):
    places = Places(store, cap=1)

    assert [places.value(METRIC, it) for it in (value, "a")] == ["other", "a"]


@pytest.mark.parametrize("value", [None, "", 1, ["a"], {}])
def test_what_is_no_text_is_unknown(store, value):
    assert Places(store, cap=1).value(METRIC, value) == "unknown"
    assert dropped(store) == 0


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("GET /users/17/files/3?token=x", "GET /users/:id/files/:id"),
        ("/chats/cm3zq8f1x0000abcd1234efgh", "/chats/:id"),
        ("POST /o/0c3a9e0e-6a7b-4a5e-9d5f-2f4b7c1d8e9a", "POST /o/:id"),
        ("GET /health", "GET /health"),
        ("/a?\nb", "/a"),
    ],
)
def test_ids_and_query_strings_are_taken_out_of_paths(name, wanted):
    assert normaliser(PATH_RULES)(name) == wanted
