"""Slack's way to write text, as HTML that is safe whatever was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from exporter.demo.mrkdwn import mrkdwn

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("down", "down"),
        ("*2 firing*, _since_ ~noon~ `12:00`", "<b>2 firing</b>, <i>since</i> <s>noon</s> <code>12:00</code>"),
        ("a_b_c 2*3*4 * x *", "a_b_c 2*3*4 * x *"),
        ("one\ntwo", "one<br>\ntwo"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 &lt; 2 &amp;&amp; 3 &gt; 2"),
        ("&amp;lt;", "&amp;lt;"),
        (
            "<http://127.0.0.1:9/?a=1&amp;b=2|Run *book*> · x",
            '<a href="http://127.0.0.1:9/?a=1&amp;b=2" rel="noreferrer">Run *book*</a> · x',
        ),
        ("<https://example.com>", '<a href="https://example.com" rel="noreferrer">https://example.com</a>'),
        ("<javascript:alert(1)|click>", "<b>click</b>"),
        ("<!channel>", "<b>!channel</b>"),
        ('<http://x/" onclick="y|">', '<a href="http://x/&#34; onclick=&#34;y" rel="noreferrer">&#34;</a>'),
        ("<script>alert(1)</script>", "<b>script</b>alert(1)<b>/script</b>"),
        ("a < b", "a &lt; b"),
        ("&lt;img src=x onerror=alert(1)&gt;", "&lt;img src=x onerror=alert(1)&gt;"),
    ],
)
def test_text_is_shown_as_slack_shows_it(text, html):
    assert mrkdwn(text) == html


@given(st.text(st.sampled_from("ab <>&|*_~`\n\"'/:!htp"), max_size=60))
def test_no_tag_comes_out_but_our_own(text):
    html = str(mrkdwn(text))

    for tag in ("b", "i", "s", "code", "a"):
        html = html.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    html = html.replace("<br>", "").replace('<a href="http', "").replace('" rel="noreferrer">', "")
    assert "<" not in html
    assert ">" not in html
    assert '"' not in html


def test_what_is_shown_is_markup_that_templates_do_not_escape_again():
    assert escape(mrkdwn("*x*")) == "<b>x</b>"
