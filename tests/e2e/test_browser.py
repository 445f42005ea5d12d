"""The status page in a real browser: on a phone and a desk, light and dark."""

import pytest
from aiohttp import web

from tests.support.chromium import browser
from tests.support.running import value
from tests.support.servers import http_server

LONG = "x" * 60
CONTRAST = """(() => {
  const luminance = color => {
    const parts = color.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255);
    const [r, g, b] = parts.map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(color)) return color;
    }
  };
  const speaks = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const texts = [...document.querySelectorAll("main *")].filter(speaks);
  return Math.min(...texts.map(e => {
    const [low, high] = [luminance(getComputedStyle(e).color), luminance(ground(e))].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  }));
})()"""
"""The lowest contrast of any text with its ground (https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio)."""


async def fine(_request):
    return web.Response()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200], ids=["phone", "desk"])
async def test_the_status_page_is_readable(exporter, tmp_path, unused_tcp_port, width, dark):
    async with http_server(fine) as port:
        text = f"""probes:
          web: {{kind: http, url: "http://127.0.0.1:{port}/", interval: 1s, timeout: 500ms}}
          {LONG}: {{kind: tcp, host: 127.0.0.1, port: {unused_tcp_port}, critical: true}}
          db: {{kind: postgres, url: {{env: DB}}}}"""
        async with exporter(text, DB=f"postgresql://a:b@127.0.0.1:{unused_tcp_port}/a") as it, browser(tmp_path) as tab:
            runs = 'chatterfy_probe_runs_total{kind="http",probe="web"}'
            await it.until(lambda page: it.app.probes.ready and (value(page, runs) or 0) >= 4)
            await tab.look(width, 900, dark=dark)
            await tab.open(f"{it.url}/")
            overview = await tab.evaluate(
                "[document.title, document.documentElement.scrollWidth, document.body.innerText]"
            )
            contrast = await tab.evaluate(CONTRAST)
            drawn = await tab.evaluate(
                "Math.max(...[...document.querySelectorAll('svg path')].map(path => path.getTotalLength()))"
            )
            await tab.screenshot(tmp_path / "overview.png")
            await tab.open(f"{it.url}/probes/{LONG}")
            history = await tab.evaluate("[document.documentElement.scrollWidth, document.body.innerText]")

    title, wide, words = overview
    assert title == "DOWN · Chatterfy production"
    assert wide <= width
    assert "2 of 3 probes are down, a critical one among them." in words
    assert "Connection refused" in words
    assert contrast >= 4.5
    assert drawn > 0
    assert history[0] <= width
    assert "Connection refused" in history[1]
    assert (tmp_path / "overview.png").stat().st_size > 10_000
