"""The app's own ORM writes, in both naming styles, and the exporter shows exactly that."""

from collections import defaultdict
from itertools import chain
from pathlib import Path

import asyncpg
import pytest

from tests.support import prisma
from tests.support.running import running

DDL = Path(__file__).parents[1] / "data/prisma"
QUICK = (
    "active_orgs", "file_uploads", "http_request_duration", "http_requests", "messages", "mrr_usd", "orgs", "signups",
    "subscriptions", "subscriptions_cancelled", "subscriptions_created", "tokens", "usage_cost_usd", "users",
)  # fmt: skip


@pytest.fixture(scope="module")
def installed() -> None:
    prisma.install()


@pytest.fixture
async def url(postgres_cluster, style: str):
    """A database as Prisma made it, in a zone that is not UTC."""
    name = f"prisma_{style}"
    await postgres_cluster.execute(f"CREATE DATABASE {name}")
    await postgres_cluster.execute(f"ALTER DATABASE {name} SET timezone = 'America/Sao_Paulo'")
    url = postgres_cluster.url(database=name)
    connection = await asyncpg.connect(url)
    await connection.execute((DDL / f"{style}.sql").read_text())
    await connection.close()
    yield url
    await postgres_cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


def expected(*written: prisma.Written) -> dict[str, float]:
    """What write.mjs says it wrote, by series as on the page: NULL is `unknown` there."""
    amounts: defaultdict[str, float] = defaultdict(float)
    for metric, labels, amount in chain(*written):
        values = {name: (text or "unknown").replace('"', r"\"") for name, text in labels.items()}
        names = ",".join(f'{name}="{values[name]}"' for name in sorted(values))
        amounts[f"{metric}{{{names}}}" if names else metric] += amount
    return {series: round(amount, 9) for series, amount in amounts.items() if amount}


def shown(page: str, wanted: dict[str, float]) -> dict[str, float]:
    """All that the page shows of the same metrics, apart from what is 0."""
    metrics = {series.partition("{")[0] for series in wanted}
    lines = [line.rpartition(" ") for line in page.splitlines()]
    found = {series: round(float(number), 9) for series, _, number in lines if series.partition("{")[0] in metrics}
    return {series: number for series, number in found.items() if number}


@pytest.mark.parametrize("style", ["default", "snake_case"])
async def test_what_prisma_writes_is_shown_to_the_row_and_the_cent(config, installed, url, style):
    first = await prisma.write(style, "first", url)
    path = config(
        "listen: 127.0.0.1:0\nlog: {level: error}\ndatabase: {url: {env: DB}}\n"
        f"queries: {{every: {{{', '.join(f'{name}: 1s' for name in QUICK)}}}}}\n"
        + "tables: {preset: snake_case}\n"
        * (style == "snake_case")
    )
    async with running(path, {"DB": url}) as it:
        await it.until(lambda page: shown(page, expected(first)) == expected(first))
        second = await prisma.write(style, "second", url)
        await it.until(lambda page: shown(page, expected(first, second)) == expected(first, second))
        page = await it.page()

    assert 'chatterfy_active_orgs{window="1d"} 1.0' in page
    assert shown(page, expected(first, second)) == expected(first, second)
