"""POST /v1/beacon and GET /chatterfy.js: what browsers measure, and the module that measures it there."""

from collections.abc import Iterable
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, Field

from exporter.ingest.beacon.measures import Measures
from exporter.ingest.beacon.models import NAME, Models
from exporter.ingest.beacon.pages import Pages, Template
from exporter.ingest.beacon.script import Script
from exporter.ingest.posted import Malformed, items
from exporter.limits import Access, Call, Endpoint, Given, Origin, Rejected, Section, section


def _named(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"expected a name of 1 to 100 characters of ASCII, got {text!r}")
    return text


MOST = 100
"""Measurements of one request: a page has five, and as many chats as were answered within five seconds."""
LARGEST = 64 * 1024
"""Bytes of one request, inflated, as browsers bound what sendBeacon has under way."""
ModelName = Annotated[str, AfterValidator(_named)]


@section("beacon")
class BeaconSection(Section):
    """What browsers measure, at /v1/beacon: web vitals, and how long chats take; and /chatterfy.js, which measures."""

    origins: list[Origin] = Field(min_length=1)
    """The origins whose pages may send, such as https://app.example.com; the module may be imported by any."""
    pages: list[Template] = Field(default_factory=list, max_length=200)
    """Pages as their routes are written, such as /chat/[id]; paths that match become it, the most specific first."""
    page_cap: int = Field(20, ge=0, le=200)
    """How many other pages have a place, first come and with ids replaced; the rest is `other`."""
    models: dict[ModelName, list[ModelName]] = Field(default_factory=dict, max_length=50)
    """The models of each provider that have a place: {openai: [gpt-5, gpt-5-mini]}."""
    model_cap: int = Field(20, ge=0, le=200)
    """How many other pairs of provider and model have a place, first come; the rest is `other`."""

    def endpoints(self, given: Given) -> Iterable[Endpoint]:
        """The beacon and the module."""
        pages = Pages(given.store, self.pages, self.page_cap)
        models = Models(given.store, self.models, self.model_cap)
        beacon = Beacon(Measures(given.store, pages, models))
        yield Endpoint("beacon", "/v1/beacon", beacon.answer, Access(origins=frozenset(self.origins)))
        yield Endpoint("script", "/chatterfy.js", Script().answer, methods=("GET", "HEAD"))


class Beacon:
    """Takes what browsers post: text or JSON, one measurement or many."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    async def answer(self, call: Call) -> web.Response:
        """Counts all measurements of the request; none where one is malformed."""
        if len(call.inflated) > LARGEST:
            raise Rejected(413, "size", f"a beacon is at most {LARGEST} bytes long")
        found = []
        for index, item in enumerate(items(call, MOST)):
            try:
                found.append(self._measures.read(item))
            except Malformed as malformed:
                raise malformed.at(f"measurements[{index}]") from None
        for measured in found:
            self._measures.count(measured)
        return web.Response(status=204)
