"""How long chats take, by provider and model: those that are declared, and so many others."""

import re
from collections.abc import Mapping, Sequence

from exporter.metrics.catalogue import Metric
from exporter.metrics.labels import OTHER, UNKNOWN, Places
from exporter.metrics.store import Store

CHAT = Metric(
    "chatterfy_chat_response_seconds",
    "histogram",
    "How long users waited for a chat's answer to be complete, as their browsers measured it; observed when browsers"
    " send it.",
    ("provider", "model"),
    (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0),
)
NAME = re.compile(r"[ -~]{1,100}")
_BETWEEN = "·"
"""Is in no name, and can be printed."""


class Models:
    """Places for pairs of provider and model: one cap for both, so that they do not multiply."""

    def __init__(self, store: Store, declared: Mapping[str, Sequence[str]], cap: int) -> None:
        self._providers = {*declared, OTHER, UNKNOWN}
        pairs = [(provider, model) for provider, models in declared.items() for model in (*models, OTHER, UNKNOWN)]
        pairs += [(OTHER, OTHER), (UNKNOWN, UNKNOWN)]
        self._places = Places(store, map(_BETWEEN.join, pairs), cap)

    def labels(self, provider: object, model: object) -> tuple[str, str]:
        """The labels for what a browser called them; of a declared provider the name stays."""
        pair = _name(provider), _name(model)
        if self._places.value(CHAT, _BETWEEN.join(pair)) != OTHER:
            return pair
        return (pair[0] if pair[0] in self._providers else OTHER), OTHER


def _name(value: object) -> str:
    if not value:
        return UNKNOWN
    return value if isinstance(value, str) and NAME.fullmatch(value) else OTHER
