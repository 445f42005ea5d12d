"""Whatever browsers say, labels are declared ones, so many others, `other` and `unknown`."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.ingest.beacon.measures import MOST, VITAL_SECONDS, Measures
from exporter.ingest.beacon.models import Models
from exporter.ingest.beacon.pages import Pages, route
from exporter.ingest.posted import Malformed
from exporter.metrics.page import Page
from exporter.metrics.store import Store
from tests.support.running import value

TEXT = st.text(st.characters(), max_size=30)  # with what is no text: halves of surrogate pairs
JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | TEXT, st.lists, max_leaves=3)
PAGE = st.sampled_from(["/", "/chat/[id]", "/chat/1", "https://a.b/docs/c/d?e#f", "/docs", "a", "//", "/\ud800"]) | TEXT
ITEMS = st.fixed_dictionaries(
    {"name": st.sampled_from(list(MOST)) | JSON, "value": st.floats(0, 10) | JSON},
    optional={
        **dict.fromkeys(("page", "path", "navigationURL"), PAGE | JSON),
        **dict.fromkeys(("provider", "model"), st.sampled_from(["openai", "gpt-5"]) | JSON),
        "delta": JSON,
    },
)


def pages(*routes: str, cap: int = 0, store: Store | None = None) -> Pages:
    return Pages(store or Store(2000), map(route, routes), cap)


@pytest.mark.parametrize(
    ("page", "label"),
    [
        ("/", "/"),
        ("", "unknown"),
        ("?a=b", "/"),
        ("https://app.example.com", "/"),
        ("https://app.example.com/chat/17?key=x#y", "/chat/[id]"),
        ("/chat/new", "/chat/new"),
        ("/chat/new/", "/chat/new"),
        ("/chat/17", "/chat/[id]"),
        ("/chat/[id]", "/chat/[id]"),
        ("/chat", "other"),
        ("/chat/17/edit", "other"),
        ("/users/maria", "/users/:name"),
        ("/docs/a/b.c", "/docs/[...slug]"),
        ("/docs", "other"),
        ("/shop", "/shop/[[...slug]]"),
        ("/shop/a/b", "/shop/[[...slug]]"),
        ("/files/a", "/files/*"),
        ("/caf%C3%A9", "other"),
        ("/café", "other"),
        ("/a b", "other"),
        ("/files/" + "a" * 294, "other"),
        ("/files/a?" + "a" * 2000, "/files/*"),
    ],
)
def test_a_path_belongs_to_the_most_specific_route(page, label):
    it = pages("/chat/[id]", "/chat/new", "/", "/users/:name", "/docs/[...slug]", "/shop/[[...slug]]", "/files/*")

    assert it.value(VITAL_SECONDS, page) == label


def test_other_pages_have_a_place_without_their_ids_as_long_as_there_are_some():
    it = pages(cap=2)

    labels = [it.value(VITAL_SECONDS, page) for page in ("/a/1", "/a/2?b", "/b", "/c", "/a/3", "")]

    assert labels == ["/a/:id", "/a/:id", "/b", "other", "/a/:id", "unknown"]


@pytest.mark.parametrize("written", ["", "chat", "/a b", 5, None, "/" + "a" * 100])
def test_what_is_no_route_is_told(written):
    with pytest.raises(ValueError, match="expected a route such as"):
        route(written)


@pytest.mark.parametrize("written", ["/[...a]/b", "/[[...a]]/b", "/*/b"])
def test_nothing_comes_behind_the_rest_of_a_path(written):
    with pytest.raises(ValueError, match="expected nothing behind"):
        route(written)


def test_pairs_of_provider_and_model_share_their_places():
    it = Models(Store(2000), {"openai": ["gpt-5"]}, cap=2)
    said = [("openai", "gpt-5"), ("openai", "o9"), ("acme", "a"), ("openai", "x"), ("acme", "b"), ("acme", "a")]

    labels = [it.labels(provider, model) for provider, model in said]

    assert labels == [*said[:3], ("openai", "other"), ("other", "other"), ("acme", "a")]


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        (("openai", None), ("openai", "unknown")),
        ((None, ""), ("unknown", "unknown")),
        (("openai", "é"), ("openai", "other")),
        (("openai", "gpt-5\topenai"), ("openai", "other")),
        (("x" * 101, "gpt-5"), ("other", "other")),
        ((5, ["gpt-5"]), ("other", "other")),
    ],
)
def test_what_is_no_name_is_unknown_or_other(said, labels):
    assert Models(Store(2000), {"openai": ["gpt-5"]}, cap=0).labels(*said) == labels


@given(st.lists(ITEMS, max_size=20))
async def test_nothing_that_is_posted_breaks_the_page_or_makes_more_series_than_there_are_places(items):
    store = Store(2000)
    measures = Measures(
        store, pages("/", "/chat/[id]", cap=2, store=store), Models(store, {"openai": ["gpt-5"]}, cap=2)
    )
    for item in items:
        with suppress(Malformed):
            measures.count(measures.read(item))
    page = Page(store)
    await page.refresh()

    lines = page.text.plain.decode().splitlines()
    assert len({line for line in lines if line.startswith("chatterfy_web_vital_seconds_count")}) <= 4 * (2 + 2 + 2)
    assert len({line for line in lines if line.startswith("chatterfy_chat_response_seconds_count")}) <= 5 + 2
    assert not any(line.endswith(("NaN", "Inf")) for line in lines)
    assert value("\n".join(lines), 'chatterfy_beacon_ignored_total{measure="other",reason="unknown"}') is not None
