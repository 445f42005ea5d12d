"""As much of Prometheus' API as several checks need."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field, FiniteFloat, TypeAdapter

from exporter.doctor.server import Server

JOB = "chatterfy-exporter"

Shape = TypeVar("Shape")


class Data(BaseModel, Generic[Shape]):
    """The envelope of every answer."""

    data: Shape


class Target(BaseModel):
    """A target that is scraped."""

    labels: dict[str, str]
    scrape_url: str = Field(alias="scrapeUrl")
    scrape_interval: str = Field(alias="scrapeInterval")
    last_error: str = Field(alias="lastError")
    health: str


class _Targets(BaseModel):
    active: list[Target] = Field(alias="activeTargets")


class _Series(BaseModel):
    metric: dict[str, str]
    value: tuple[float, FiniteFloat]


class _Vector(BaseModel):
    result: list[_Series]


_TARGETS, _QUERY = TypeAdapter(Data[_Targets]), TypeAdapter(Data[_Vector])


async def targets(prometheus: Server, job: str) -> list[Target]:
    """The targets of a job."""
    found = await prometheus.read("/api/v1/targets", _TARGETS, state="active")
    return [target for target in found.data.active if target.labels.get("job") == job]


async def query(prometheus: Server, expression: str) -> list[tuple[dict[str, str], float]]:
    """Labels and value of each series of an instant vector."""
    found = await prometheus.read("/api/v1/query", _QUERY, query=expression)
    return [(series.metric, series.value[1]) for series in found.data.result]
