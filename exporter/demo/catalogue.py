"""What the toy product offers and what its users choose, shared by its history and its live traffic."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, TypeVar

T = TypeVar("T")

SLOTS = 100


class Model(NamedTuple):
    """A model of a provider; the price is in US dollars for a million tokens, in and out together."""

    provider: str
    name: str
    usd_per_million: Decimal


class Plan(NamedTuple):
    """A paid plan; the amount is in cents a month."""

    code: str
    amount: int


class Endpoint(NamedTuple):
    """A route of the API; `:id` in the path stands for a real id, as the application logs it."""

    method: str
    path: str
    success: int
    median_ms: float


class Page(NamedTuple):
    """A page of the web site by its route, and how long it takes: the medians of its LCP and INP in milliseconds."""

    route: str
    lcp: float
    inp: float


def weighted(weights: Mapping[T, int]) -> tuple[T, ...]:
    """Each choice repeated by its weight; the weights add up to SLOTS, so that SQL can draw by slot number."""
    return tuple(choice for choice, weight in weights.items() for _ in range(weight))


SOURCES = weighted({"direct": 40, "google": 30, "referral": 20, "product_hunt": 10})
REASONS = weighted({"too_expensive": 40, "unused": 25, "missing_feature": 20, "switched": 15})
FILE_TYPES = weighted({"pdf": 50, "png": 20, "docx": 20, "csv": 10})
PLANS = weighted({Plan("PRO", 2900): 75, Plan("TEAM", 9900): 25})
MODELS = weighted(
    {
        Model("openai", "gpt-4o", Decimal("7.5")): 30,
        Model("openai", "gpt-4o-mini", Decimal("0.4")): 25,
        Model("anthropic", "claude-sonnet", Decimal("9.0")): 20,
        Model("anthropic", "claude-haiku", Decimal("2.4")): 15,
        Model("google", "gemini-flash", Decimal("0.3")): 10,
    }
)
ENDPOINTS = weighted(
    {
        Endpoint("GET", "/v1/me", 200, 18): 28,
        Endpoint("POST", "/v1/chat/completions", 200, 800): 25,
        Endpoint("GET", "/v1/orgs/:id", 200, 25): 15,
        Endpoint("GET", "/health", 200, 4): 10,
        Endpoint("GET", "/v1/files", 200, 35): 8,
        Endpoint("POST", "/v1/files", 201, 260): 5,
        Endpoint("GET", "/v1/orgs/:id/members", 200, 30): 5,
        Endpoint("GET", "/v1/billing", 200, 120): 3,
        Endpoint("PATCH", "/v1/orgs/:id", 200, 40): 1,
    }
)
PAGES = weighted(
    {
        Page("/chat/[id]", 1900, 150): 46,
        Page("/", 1350, 60): 21,
        Page("/login", 1150, 70): 12,
        Page("/files", 1700, 100): 10,
        Page("/pricing", 1600, 60): 6,
        Page("/settings", 1450, 80): 5,
    }
)
ANSWER_MS = {"gpt-4o": 3200, "gpt-4o-mini": 1500, "claude-sonnet": 4100, "claude-haiku": 1700, "gemini-flash": 1200}
"""The median time until a model's answer is complete, as its reader sees it."""
