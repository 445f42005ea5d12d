"""The shipped templates as a channel shows them: each rendered by amtool, with the data of one notification."""

import html.parser
import json
from functools import cache
from typing import Any

from tests.support.alertmanager import FOLDER, amtool, configuration

DATA = FOLDER / "tests/data"
END = "\n<<end>>\n"


def _render(case: str, template: str, kind: str = "text") -> str:
    return amtool(
        "template",
        "render",
        f"--template.glob={FOLDER}/templates/*.tmpl",
        f"--template.data={DATA / case}.json",
        f"--template.type={kind}",
        f"--template.text={template}",
    )


def _receiver(name: str) -> dict[str, Any]:
    return next(dict(it) for it in configuration()["receivers"] if it["name"] == name)


@cache
def slack(case: str) -> dict[str, str]:
    """The parts of the Slack message, and its fields by their titles."""
    (ours,) = _receiver("critical")["slack_configs"]
    parts = {name: ours[name] for name in ("color", "fallback", "pretext", "text")}
    parts |= {field["title"]: field["value"] for field in ours["fields"]}
    return dict(zip(parts, _render(case, END.join(parts.values())).split(END), strict=True))


@cache
def email(case: str) -> dict[str, str]:
    """The e-mail's subject, text and HTML."""
    (ours,) = _receiver("critical")["email_configs"]
    return {
        "subject": _render(case, ours["headers"]["Subject"]),
        "text": _render(case, ours["text"]),
        "html": _render(case, ours["html"], "html"),
    }


def data(case: str) -> dict[str, Any]:
    """What the message is made from."""
    return dict(json.loads((DATA / f"{case}.json").read_text()))


class Seen(html.parser.HTMLParser):
    """What a reader of HTML gets: the words, the tags, the links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = ""
        self.tags: set[str] = set()
        self.links: dict[str, str] = {}
        self._inside = self._link = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._inside = tag
        self._link = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        if self._inside == "a" and self._link:
            self.links[data] = self._link
            self._link = ""
        if self._inside not in {"style", "title"}:
            self.words += data
