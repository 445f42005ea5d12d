"""Slack's way to write text, as safe HTML: https://docs.slack.dev/messaging/formatting-message-text."""

import re

from markupsafe import Markup, escape

_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_STYLES = [
    (re.compile(rf"(?<!\w){mark}(\S(?:[^{mark}\n]*\S)?){mark}(?!\w)"), rf"<{tag}>\1</{tag}>")
    for mark, tag in {"`": "code", r"\*": "b", "_": "i", "~": "s"}.items()
]


def mrkdwn(text: str) -> Markup:
    """The text with its links and styles; what else `<...>` can say in Slack, such as a mention, stands out in bold."""
    parts, end = [], 0
    for found in _LINK.finditer(text):
        parts += [_styled(text[end : found.start()]), _link(_plain(found[1]), _plain(found[2] or found[1]))]
        end = found.end()
    return Markup().join([*parts, _styled(text[end:])])


def _link(target: str, name: str) -> Markup:
    if target.startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(target, name)
    return Markup("<b>{}</b>").format(name)


def _styled(text: str) -> Markup:
    html = str(escape(_plain(text)))
    for pattern, replacement in _STYLES:
        html = pattern.sub(replacement, html)
    return Markup(html.replace("\n", "<br>\n"))  # noqa: S704  (escaped above)


def _plain(text: str) -> str:
    """Slack escapes three characters, and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
