"""The app's own events, as its `trackBusinessMetrics` has them; business queries count them in the table."""

import re
from collections.abc import Mapping

from exporter.ingest.posted.fields import Field, Shape, is_amount, text

_NUMBER = re.compile(r"[0-9]{1,15}(?:[.][0-9]{1,9})?")


def _is_key(value: object) -> bool:
    return (type(value) is str and 0 < len(value) <= 200) or type(value) is int


def _is_size(value: object) -> bool:
    """A number, or text that is one, as a BigInt becomes on its way into JSON."""
    return is_amount(value) or (type(value) is str and _NUMBER.fullmatch(value) is not None)


_KEY = Field(_is_key, "text of 1 to 200 characters, or a whole number")
_NAME = Field(*text(200))
_AMOUNT = Field(is_amount, "a number of at least 0")
_OPTIONAL = Field(*text(200, 0), required=False)

APP_EVENTS: Mapping[str, Shape] = {
    "user_signup": Shape({"userId": _KEY, "source": _OPTIONAL}),
    "subscription_created": Shape({"orgId": _KEY, "planCode": _NAME, "amount": _AMOUNT}),
    "subscription_cancelled": Shape({"orgId": _KEY, "reason": _OPTIONAL}),
    "chat_message": Shape({"orgId": _KEY, "provider": _NAME, "model": _NAME, "tokens": _AMOUNT}),
    "file_upload": Shape(
        {"orgId": _KEY, "fileSize": Field(_is_size, "a number of bytes, at least 0"), "fileType": _OPTIONAL}
    ),
}
"""By name, what their data must have; more may be in it."""
